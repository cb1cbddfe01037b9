package layerwise.bench.calibration;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import layerwise.bench.exchange.ExpertTable;
import layerwise.model.layer.ExpertChoice;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Route;
import layerwise.op.TensorRef;

/**
 * Records the experts of every iteration after the warm-up. The inputs are other ones in each, so that routers have something to
 * choose.
 */
final class CollectedStep implements StepCalibration {
    private final ExpertTable table;
    private final Set<Integer> layers;
    private final List<ExpertCall> calls;
    private final int warmup;
    private final int iterations;
    private final IntConsumer refill;
    private final Consumer<List<Iteration>> target;
    private final List<TensorRef> sources = new ArrayList<>();
    private Memory memory;
    private IterationLog log;

    /**
     * Plans it.
     *
     * @param calls      of one iteration, in order
     * @param warmup     iterations that are not recorded
     * @param iterations those that are
     * @param refill     makes the inputs of an iteration
     * @param target     gets what was recorded
     */
    CollectedStep(
            ExpertTable table,
            Set<Integer> layers,
            List<ExpertCall> calls,
            int warmup,
            int iterations,
            IntConsumer refill,
            Consumer<List<Iteration>> target) {
        this.table = table;
        this.layers = Set.copyOf(layers);
        this.calls = List.copyOf(calls);
        this.warmup = warmup;
        this.iterations = iterations;
        this.refill = refill;
        this.target = target;
    }

    @Override
    public ExpertChoice choose(Memory memory) {
        ExpertChoice choice = table.place(memory);
        if (choice instanceof ExpertChoice.Fixed fixed) {
            int layersWithExperts =
                    fixed.chunks().isEmpty() ? 0 : calls.size() / fixed.chunks().size();
            for (int layer = 0; layer < layersWithExperts; layer++) {
                fixed.chunks().forEach(chunk -> sources.add(chunk.ids()));
            }
        }
        return choice;
    }

    @Override
    public Program observe(Program program) {
        if (table.isRouted()) {
            program.operators().forEach(operator -> {
                if (operator instanceof Route route) {
                    sources.add(route.ids());
                }
            });
        }
        List<TensorRef> outputs = new ArrayList<>(program.outputs());
        outputs.addAll(sources);
        return LayerRanges.around(new Program(program.steps(), outputs), layers);
    }

    @Override
    public void bind(Memory memory) {
        this.memory = memory;
        log = new IterationLog("calibration.ids", sources, iterations, memory);
    }

    @Override
    public void before(int iteration) {
        refill.accept(iteration);
    }

    @Override
    public void after(int iteration) {
        if (iteration >= warmup) {
            log.keep(iteration - warmup);
        }
    }

    @Override
    public void finish() {
        List<Iteration> recorded = new ArrayList<>();
        for (int[] slots : log.read(memory)) {
            recorded.add(new Iteration(recorded.size() + 1, calls, slots));
        }
        target.accept(recorded);
    }
}
