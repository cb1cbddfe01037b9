package layerwise.bench.device;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import layerwise.bench.ranks.Slowest;
import layerwise.estimate.GpuFacts;
import layerwise.op.Add;
import layerwise.op.AllGather;
import layerwise.op.Arithmetic;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Executor;
import layerwise.op.Linear;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RankGroup;
import layerwise.op.RankTokens;
import layerwise.op.Rendezvous;
import layerwise.op.Replay;
import layerwise.op.ScaleFormat;
import layerwise.op.Scaling;
import layerwise.op.Stopwatch;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.op.Work;
import layerwise.tensor.DType;

/**
 * The best rates that an executor's own operators reach: what {@code measured} in a GPU's file is for.
 *
 * <p>Each is the best of {@value #ROUNDS} rounds of as many replays as fill about {@value #ROUND_MICROS} microseconds.
 */
public final class Ceilings {
    private static final int ROUNDS = 5;
    private static final double ROUND_MICROS = 20_000;
    private static final int SMALL_LAUNCHES = 100;

    private final Executor executor;
    private final int edge;
    private final int rows;

    /**
     * Prepares to measure.
     *
     * @param edge M, N and K of products, a multiple of 128
     * @param rows rows of {@code edge} bfloat16 elements that are streamed; far more than caches hold
     */
    public Ceilings(Executor executor, int edge, int rows) {
        this.executor = executor;
        this.edge = edge;
        this.rows = rows;
    }

    /**
     * All of them, by their keys in a GPU's file; {@code launch_ns} and {@code graph_launch_ns} are what the smallest operator
     * takes from one launch to the next.
     *
     * @param rendezvous of the ranks; links are measured where there are several
     */
    public Map<String, Double> measure(Rendezvous rendezvous) {
        RankGroup ranks = rendezvous.group();
        Slowest alone = Slowest.alone();
        Map<String, Double> rates = new LinkedHashMap<>();
        TensorRef a = tensor("a", DType.BF16, rows, edge);
        Operator add = new Add(a, tensor("b", DType.BF16, rows, edge), tensor("y", DType.BF16, rows, edge));
        rates.put("bytes_per_second", add.work().bytes() / seconds(add, alone));
        rates.put("bf16", flops(Weight.plain(tensor("w", DType.BF16, edge, edge))));
        Scaling.Block blocks = new Scaling.Block(
                tensor("scales", DType.F32, edge / Weight.ROUNDED_BLOCK, edge / Weight.ROUNDED_BLOCK),
                Weight.ROUNDED_BLOCK,
                Weight.ROUNDED_BLOCK,
                ScaleFormat.FLOAT32);
        rates.put("fp8", flops(new Weight(tensor("w8", DType.E4M3, edge, edge), blocks)));
        if (ranks.size() > 1) {
            TensorRef own = tensor("own", DType.BF16, rows / ranks.size(), edge);
            RankTokens tokens = RankTokens.uniform(ranks, rows / ranks.size());
            Operator gather = new AllGather(
                    List.of(new AllGather.Part(own, tensor("all", DType.BF16, tokens.total(), edge))), tokens);
            rates.put("link_bytes_per_second", gather.work().linkBytes() / seconds(gather, new Slowest(rendezvous)));
        }
        Supplier<Operator> small = () ->
                new Add(tensor("s", DType.BF16, 1, 8), tensor("t", DType.BF16, 1, 8), tensor("u", DType.BF16, 1, 8));
        rates.put("launch_ns", 1e9 * small(small.get(), false));
        rates.put("graph_launch_ns", 1e9 * small(small.get(), true));
        return rates;
    }

    private static TensorRef tensor(String name, DType dtype, long... dims) {
        return Buffer.of(name, dtype, dims).whole();
    }

    private double flops(Weight weight) {
        Operator product = new Linear(tensor("x", DType.BF16, edge, edge), weight, tensor("p", DType.BF16, edge, edge));
        Work work = product.work();
        return work.flops() / seconds(product, Slowest.alone());
    }

    private double seconds(Operator operator, Slowest ranks) {
        return replay(Program.builder().launch(operator).build(operator.outputs()), true, ranks);
    }

    private double small(Operator operator, boolean graph) {
        Program.Builder program = Program.builder();
        for (int i = 0; i < SMALL_LAUNCHES; i++) {
            program.launch(operator);
        }
        return replay(program.build(operator.outputs()), graph, Slowest.alone()) / SMALL_LAUNCHES;
    }

    /** The best seconds of one replay, launched as often on all of some ranks. */
    private double replay(Program program, boolean graph, Slowest ranks) {
        try (Memory memory = executor.allocate()) {
            for (TensorRef input : inputs(program)) {
                memory.put(input.buffer(), contents(input));
            }
            try (Execution execution = executor.prepare(program, memory);
                    Replay replay = graph ? execution.capture() : Replay.eager(execution);
                    Stopwatch stopwatch = executor.stopwatch(2)) {
                double once = ranks.of(micros(replay, stopwatch, 2) / 2);
                int times = (int) Math.clamp(ROUND_MICROS / once, 1, 1000);
                double best = Double.POSITIVE_INFINITY;
                for (int round = 0; round < ROUNDS; round++) {
                    best = Math.min(best, ranks.of(micros(replay, stopwatch, times) / times));
                }
                return best / 1e6;
            }
        }
    }

    private double micros(Replay replay, Stopwatch stopwatch, int times) {
        stopwatch.mark(0);
        for (int i = 0; i < times; i++) {
            replay.launch();
        }
        stopwatch.mark(1);
        executor.synchronize();
        return stopwatch.micros(0, 1);
    }

    private static List<TensorRef> inputs(Program program) {
        List<TensorRef> all = new ArrayList<>();
        program.operators().getFirst().inputs().stream()
                .filter(input -> program.outputs().stream()
                        .noneMatch(output -> output.buffer().equals(input.buffer())))
                .forEach(all::add);
        return all;
    }

    /** Random numbers: zeros would keep clocks higher than any layer does. */
    private static Contents contents(TensorRef input) {
        return switch (input.dtype()) {
            case E4M3 -> new Contents.Uniform(-3, 3, 1);
            case F32 -> new Contents.Uniform(0.01f, 0.02f, 2);
            default -> new Contents.Uniform(-1, 1, 3);
        };
    }

    /** As {@code measured:} takes it, rates only. */
    public static String yaml(Map<String, Double> rates) {
        List<String> entries = new ArrayList<>();
        rates.forEach((key, value) -> {
            if (!key.endsWith("_ns")) {
                entries.add(String.format(Locale.ROOT, "%s: %.4ge12", key, value / 1e12));
            }
        });
        return "measured: {" + String.join(", ", entries) + "}";
    }

    /** One line a rate, beside the nominal one where that is known. */
    public static List<String> lines(Map<String, Double> rates, Optional<GpuFacts> gpu) {
        List<String> lines = new ArrayList<>();
        rates.forEach((key, value) -> lines.add(
                key.endsWith("_ns")
                        ? String.format(Locale.ROOT, "%s %.0f", key, value)
                        : String.format(Locale.ROOT, "%s %.1f e9%s", key, value / 1e9, share(key, value, gpu))));
        return lines;
    }

    private static String share(String key, double value, Optional<GpuFacts> gpu) {
        double nominal = gpu.map(facts -> switch (key) {
                    case "bytes_per_second" -> facts.nominal().bytesPerSecond();
                    case "link_bytes_per_second" -> facts.nominal().linkBytesPerSecond();
                    default ->
                        facts.nominal()
                                .flops()
                                .getOrDefault(Arithmetic.valueOf(key.toUpperCase(Locale.ROOT)), Double.NaN);
                })
                .orElse(Double.NaN);
        return Double.isNaN(nominal)
                ? ""
                : String.format(Locale.ROOT, ", %.1f %% of the data sheet", 100 * value / nominal);
    }
}
