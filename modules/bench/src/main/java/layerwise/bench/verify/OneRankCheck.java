package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import layerwise.bench.config.RunConfig;
import layerwise.bench.exchange.ExpertTable;
import layerwise.bench.noise.NoiseLayers;
import layerwise.bench.noise.NoiseStep;
import layerwise.model.layer.ExpertChoice;
import layerwise.model.layer.Phase;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelSpec;
import layerwise.op.AllToAllCombine.Wire;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Contents;
import layerwise.op.ExchangeLoad;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.ExpertLoad;
import layerwise.op.Journal;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RankTokens;
import layerwise.op.Replay;
import layerwise.op.TensorRef;
import layerwise.op.fusion.Fusion;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import layerwise.trace.ProblemSpec;

/**
 * Layers divided over ranks against the same layers on one rank: same whole weights, same tokens, same experts for each. The
 * one rank is the reference executor.
 */
final class OneRankCheck {
    /** One rank computes what all do together: more than this takes minutes. */
    private static final double MOST_FLOPS = 20e9;

    private final RunConfig config;
    private final ModelSpec model;
    private final Mapping mapping;
    private final Executor device;
    private final long seed;

    OneRankCheck(RunConfig config, ModelSpec model, Mapping mapping, Executor device, long seed) {
        this.config = config;
        this.model = model;
        this.mapping = mapping;
        this.device = device;
        this.seed = seed;
    }

    /** A step of layers on some ranks. */
    private record Layers(NoiseLayers layers, Phase phase, ProblemSpec problem) {
        NoiseStep step(ExpertChoice choice, Traffic traffic) {
            return layers.step(phase, problem, choice, traffic);
        }
    }

    /** A row for each output, run eagerly and captured. */
    List<Row> check(Phase phase, ProblemSpec problem, Traffic traffic, ExpertTable table) {
        Layers alone = layers(phase, problem, Mapping.alone());
        Traffic none = Traffic.alone(traffic.tokens().own());
        double flops = alone.step(new ExpertChoice.Routed(), none).program().operators().stream()
                .map(Operator::work)
                .mapToDouble(work -> work.flops())
                .sum();
        List<Row> rows = new ArrayList<>();
        if (flops > MOST_FLOPS) {
            String shape = String.format(Locale.ROOT, "%.0f GFLOP", flops / 1e9);
            rows.add(Row.of("layers", shape, "not compared", 0, 0, "ok"));
            return rows;
        }
        try (Arena arena = Arena.ofShared();
                Executor reference = new ReferenceExecutor(Journal.NONE, Capabilities.plain())) {
            Layers divided = layers(phase, problem, mapping);
            for (boolean captured : new boolean[] {false, true}) {
                // What is captured runs twice, and states go on from run to run.
                List<HostTensor> expected = run(reference, alone, none, table, captured, arena);
                List<HostTensor> actual = run(device, divided, traffic, table, captured, arena);
                rows.add(row("hidden", captured, actual.get(0), expected.get(0), traffic.wire()));
                rows.add(row("residual", captured, actual.get(1), expected.get(1), traffic.wire()));
            }
        }
        return rows;
    }

    private Layers layers(Phase phase, ProblemSpec problem, Mapping of) {
        return new Layers(new NoiseLayers(config, model, of, seed), phase, problem);
    }

    private List<HostTensor> run(
            Executor executor, Layers layers, Traffic traffic, ExpertTable table, boolean captured, Arena arena) {
        try (Memory memory = executor.allocate()) {
            layers.layers().placeWeights(memory);
            boolean alone = traffic.tokens().group().size() == 1;
            NoiseStep step =
                    layers.step(alone ? joined(table, traffic.tokens(), memory) : table.place(memory), traffic);
            step.place(memory, mapping.dataRank());
            Program program = Fusion.apply(step.program(), executor.capabilities());
            try (Execution execution = executor.prepare(program, memory)) {
                if (captured) {
                    try (Replay replay = execution.capture()) {
                        replay.launch();
                        replay.launch();
                        executor.synchronize();
                    }
                } else {
                    execution.run();
                    executor.synchronize();
                }
                List<HostTensor> read = new ArrayList<>();
                for (TensorRef output : step.program().outputs()) {
                    read.add(execution.memory().read(output, arena));
                }
                return read;
            }
        }
    }

    /** All chunks' choices as those of one chunk. */
    private static ExpertChoice joined(ExpertTable table, RankTokens tokens, Memory memory) {
        if (table.isRouted()) {
            return new ExpertChoice.Routed();
        }
        Buffer buffer = Buffer.of("step.experts", DType.I32, tokens.own(), table.topK());
        try (Arena arena = Arena.ofConfined()) {
            HostTensor ids = HostTensor.copyOf(arena, Shape.of(tokens.own(), table.topK()), table.ids());
            memory.put(buffer, new Contents.Copied(List.of(ids)));
        }
        return new ExpertChoice.Fixed(
                List.of(new ExpertChoice.Table(buffer.whole(), new ExpertLoad(0, 0), new ExchangeLoad(0, 0))));
    }

    private Row row(String output, boolean captured, HostTensor actual, HostTensor expected, Wire wire) {
        double error = relative(actual.copyToFloats(), expected.copyToFloats());
        double allowed = allowed(wire);
        String shape = "%s, %s".formatted(captured ? "captured" : "eager", "relative");
        return Row.of("layers", shape, output, error, error / allowed, error <= allowed ? "ok" : "WRONG");
    }

    /** A few roundings of activations for each layer; elements of E4M3 where results travel in them. */
    private double allowed(Wire wire) {
        int layers = config.layerIndices().size();
        double activations = 4 * Tolerance.unit(model.dtype()) * Math.sqrt(layers);
        double travelling = wire == Wire.FP8 ? Tolerance.unit(DType.E4M3) / 2 * Math.sqrt(layers) : 0;
        // Float32 sums of thousands of terms differ by more than the rounding of their result.
        return Math.max(activations, 2e-6) + travelling;
    }

    /** ‖a−b‖₂ / ‖b‖₂; infinite where an element is no number. */
    private static double relative(float[] a, float[] b) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < b.length; i++) {
            double difference = (double) a[i] - b[i];
            error += difference * difference;
            norm += (double) b[i] * b[i];
        }
        double relative = Math.sqrt(error / norm);
        return Double.isNaN(relative) ? Double.POSITIVE_INFINITY : relative;
    }
}
