package layerwise.bench.calibration;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import layerwise.bench.exchange.RankLoads;
import layerwise.model.layer.ExpertChoice;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.SortByExpert;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import layerwise.tensor.WrongResultException;

/**
 * Gives experts the tokens that they had in a recording. The whole window lies in the executor's memory; before each iteration
 * its choices are copied to where the step reads them, so that a captured graph replays one iteration after the other.
 */
final class ReplayedStep implements StepCalibration {
    private final RecordedRouting routing;
    private final int chunks;
    private final int iterations;
    private final boolean verifies;
    private final Set<Integer> marked;
    private final Consumer<String> says;
    private final Buffer window;
    private final Buffer current;
    private final List<Runnable> copies = new ArrayList<>();
    private final List<TensorRef> offsets = new ArrayList<>();
    private Memory memory;
    private IterationLog log;

    /**
     * Plans it.
     *
     * @param chunks     calls of a layer in a step
     * @param iterations how many will be run
     * @param verifies   whether the rows of each expert are counted in every iteration
     * @param marked     layers that get a range
     * @param says       gets a line once they were
     */
    ReplayedStep(
            RecordedRouting routing,
            int chunks,
            int iterations,
            boolean verifies,
            Set<Integer> marked,
            Consumer<String> says) {
        this.routing = routing;
        this.chunks = chunks;
        this.iterations = iterations;
        this.verifies = verifies;
        this.marked = Set.copyOf(marked);
        this.says = says;
        long each = choices(0).length;
        window = Buffer.of("replay.window", DType.I32, routing.iterations() * each);
        current = Buffer.of("replay.experts", DType.I32, each / routing.topK(), routing.topK());
    }

    /** All choices of an iteration, layer by layer and chunk by chunk. */
    private int[] choices(int iteration) {
        List<int[]> parts = new ArrayList<>();
        for (int layer : routing.layers()) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                parts.add(routing.own(iteration, layer, chunk));
            }
        }
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    @Override
    public ExpertChoice choose(Memory memory) {
        try (Arena arena = Arena.ofConfined()) {
            List<HostTensor> all = new ArrayList<>();
            for (int i = 0; i < routing.iterations(); i++) {
                int[] choices = choices(i);
                all.add(HostTensor.copyOf(arena, Shape.of(choices.length), choices));
            }
            memory.put(window, new Contents.Copied(all));
            memory.put(current, new Contents.Copied(List.of(all.getFirst())));
        }
        Map<Integer, ExpertChoice> layers = new LinkedHashMap<>();
        int from = 0;
        for (int layer : routing.layers()) {
            List<ExpertChoice.Table> tables = new ArrayList<>();
            for (int chunk = 0; chunk < chunks; chunk++) {
                int until = from + routing.own(0, layer, chunk).length / routing.topK();
                tables.add(table(current.whole().slice(0, from, until), layer, chunk));
                from = until;
            }
            layers.put(layer, new ExpertChoice.Fixed(tables));
        }
        return new ExpertChoice.PerLayer(layers);
    }

    /** A table whose load is the window's mean: a step's program does not change from one iteration to the next. */
    private ExpertChoice.Table table(TensorRef ids, int layer, int chunk) {
        double rows = 0;
        double active = 0;
        double sent = 0;
        double received = 0;
        for (int i = 0; i < routing.iterations(); i++) {
            RankLoads loads = routing.loads(i, layer, chunk);
            ExpertLoad experts = loads.experts(routing.self());
            ExchangeLoad exchange = loads.exchange(routing.self());
            rows += experts.rows();
            active += experts.activeExperts();
            sent += exchange.sent();
            received += exchange.received();
        }
        double n = routing.iterations();
        long meanRows = Math.round(rows / n);
        return new ExpertChoice.Table(
                ids,
                new ExpertLoad(meanRows, Math.min(active / n, (double) meanRows)),
                new ExchangeLoad(sent / n, received / n));
    }

    @Override
    public Program observe(Program program) {
        Program ranged = marked.isEmpty() ? program : LayerRanges.around(program, marked);
        if (!verifies) {
            return ranged;
        }
        program.operators().forEach(operator -> {
            if (operator instanceof SortByExpert sort) {
                offsets.add(sort.offsets());
            }
        });
        List<TensorRef> outputs = new ArrayList<>(program.outputs());
        outputs.addAll(offsets);
        return new Program(ranged.steps(), outputs);
    }

    @Override
    public void bind(Memory memory) {
        this.memory = memory;
        long each = current.shape().elements();
        for (int i = 0; i < routing.iterations(); i++) {
            copies.add(memory.copying(window.whole().slice(0, i * each, (i + 1) * each), current.whole()));
        }
        if (verifies) {
            log = new IterationLog("replay.offsets", offsets, iterations, memory);
        }
    }

    @Override
    public void before(int iteration) {
        copies.get(iteration % copies.size()).run();
    }

    @Override
    public void after(int iteration) {
        if (verifies) {
            log.keep(iteration);
        }
    }

    @Override
    public void finish() {
        if (!verifies) {
            return;
        }
        List<int[]> kept = log.read(memory);
        for (int i = 0; i < kept.size(); i++) {
            verify(i % routing.iterations(), kept.get(i));
        }
        says.accept("replay verified: rows of every expert in %d iterations are those of %s"
                .formatted(kept.size(), routing));
    }

    /** @param offsets {@code [E+1]} of each call, one behind the other */
    private void verify(int iteration, int[] offsets) {
        int at = 0;
        for (int layer : routing.layers()) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                int[] counts = routing.counts(iteration, layer, chunk);
                for (int expert = 0; expert < counts.length; expert++, at++) {
                    int rows = offsets[at + 1] - offsets[at];
                    if (rows != counts[expert]) {
                        throw new WrongResultException(
                                "replay: iteration %d, layer %d: expert %d of this rank got %d rows, the recording has %d"
                                        .formatted(routing.number(iteration), layer, expert, rows, counts[expert]));
                    }
                }
                at++;
            }
        }
    }
}
