package layerwise.bench.operators;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import layerwise.bench.config.OperatorChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunType;
import layerwise.bench.device.GpuFile;
import layerwise.bench.device.Installation;
import layerwise.bench.device.ReferenceBudget;
import layerwise.bench.exchange.ExpertTable;
import layerwise.bench.exchange.RankSlice;
import layerwise.bench.moe.ExpertPath;
import layerwise.bench.noise.NoiseLayers;
import layerwise.bench.noise.NoiseStep;
import layerwise.bench.ranks.Slowest;
import layerwise.bench.run.CostRanges;
import layerwise.estimate.GpuFacts;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Rendezvous;
import layerwise.trace.ProblemSpec;

/**
 * Times the operators of layers one by one. Each problem's step runs once as a whole, so that operators find what those before
 * them left; tokens go to experts as the balance method says.
 */
final class OperatorRun {
    static final long SEED = 20260101;

    private final RunConfig config;
    private final RankSlice slice;
    private final OperatorChoice choice;
    private final Executor device;
    private final OperatorFiles files;
    private final Slowest ranks;
    private final PrintStream out;
    private final NoiseLayers layers;
    private final ExpertPath experts;
    private final Optional<GpuFacts> gpu;
    private final DistinctOperators distinct = new DistinctOperators();
    private final List<TimedOperator> rows = new ArrayList<>();

    OperatorRun(
            RunConfig config,
            RankSlice slice,
            OperatorChoice choice,
            Executor device,
            OperatorFiles files,
            Rendezvous rendezvous,
            PrintStream out) {
        this.config = config;
        this.slice = slice;
        this.choice = choice;
        this.device = device;
        this.files = files;
        this.ranks = new Slowest(rendezvous);
        this.out = out;
        layers = new NoiseLayers(config, slice.model(), slice.mapping(), SEED);
        ProblemSpec first = config.problems().getFirst();
        experts = ExpertPath.of(
                config.configFile() + ": moe_backend",
                config.moe().backend(),
                step(first, new ExpertChoice.Routed()).program());
        gpu = GpuFile.of(device.device(), Installation.home().resolve("configs/gpus"));
    }

    void run() {
        NavigableSet<String> names = new TreeSet<>();
        List<Program> programs = new ArrayList<>();
        for (ProblemSpec problem : config.problems()) {
            Program program = program(step(problem, table(problem).choice()));
            programs.add(program);
            program.operators().stream().map(Operator::name).forEach(names::add);
        }
        choice.require(names);
        // Once as a whole, and each operator alone: unmeasured three times, and then its replays.
        ReferenceBudget.of(programs, 4 + OperatorTimer.LEAST_REPLAYS)
                .check(config.device(), slice.mapping().group().size());
        say("# operators of %s on %s, seed %d, MoE backend %s"
                .formatted(config.model(), device.device(), SEED, experts));
        device.cacheBytes()
                .ifPresent(bytes -> say("# cold: copies together exceed twice %d bytes of L2".formatted(bytes)));
        say("# times in microseconds");
        say(OperatorTable.head());
        try (Memory memory = device.allocate()) {
            layers.placeWeights(memory);
            for (ProblemSpec problem : config.problems()) {
                time(problem, memory);
                files.write(rows);
            }
        }
        say("# %d operators: %s, %s".formatted(rows.size(), files.csv(), files.json()));
    }

    private Traffic traffic(ProblemSpec problem) {
        return slice.exchange().traffic(problem.tokens());
    }

    private ExpertTable table(ProblemSpec problem) {
        return slice.balancing().table(traffic(problem), problem.balanceRatio());
    }

    private NoiseStep step(ProblemSpec problem, ExpertChoice experts) {
        Phase phase = config.runType() == RunType.GEN ? Phase.GENERATION : Phase.CONTEXT;
        return layers.step(phase, problem, experts, traffic(problem));
    }

    private Program program(NoiseStep step) {
        return experts.apply(step.program(), device.capabilities());
    }

    private void time(ProblemSpec problem, Memory weights) {
        say("# batch_size %d  seq_len_q %d  seq_len_kv_cache %d"
                .formatted(problem.batchSize(), problem.seqLenQ(), problem.seqLenKvCache()));
        try (Memory memory = weights.nested()) {
            NoiseStep step = step(problem, table(problem).place(memory));
            step.place(memory, slice.mapping().dataRank());
            Program program = program(step);
            try (Execution whole = device.prepare(program, memory)) {
                whole.run();
                device.synchronize();
                for (DistinctOperators.Placed placed : distinct.of(program)) {
                    if (choice.holds(placed.operator().name())) {
                        time(problem, placed, whole.memory());
                    }
                }
            }
        }
    }

    private void time(ProblemSpec problem, DistinctOperators.Placed placed, Memory memory) {
        Operator operator = placed.operator();
        try (OperatorCopies copies = placed.isCollective()
                ? OperatorCopies.single(device, memory, operator)
                : OperatorCopies.of(device, memory, operator)) {
            List<Execution> executions = copies.executions();
            Execution first = executions.getFirst();
            TimedOperator row = new TimedOperator(
                    problem,
                    placed.module(),
                    CostRanges.of(operator, gpu),
                    OperatorSizes.of(operator),
                    TimedOperator.path(first),
                    first.kernels(),
                    executions.size(),
                    copies.cache(),
                    new OperatorTimer(device, placed.isCollective() ? ranks : Slowest.alone()).time(executions));
            rows.add(row);
            say(OperatorTable.line(row));
        }
    }

    private void say(String line) {
        if (slice.mapping().group().rank() == 0) {
            out.println(line);
        }
    }
}
