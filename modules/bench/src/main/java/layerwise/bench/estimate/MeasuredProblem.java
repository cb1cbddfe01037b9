package layerwise.bench.estimate;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.RunOptions;
import layerwise.estimate.CurveFit;
import layerwise.estimate.GpuFacts;
import layerwise.estimate.OperatorKind;
import layerwise.op.Arithmetic;
import layerwise.op.Work;
import layerwise.tensor.ConfigException;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;

/**
 * One problem of a JSON report: what was run, how long it took, and what each operator took.
 *
 * @param file     the report
 * @param title    the problem's label
 * @param gpu      product name of the GPU
 * @param run      the run's arguments
 * @param nanos    from the first kernel's start to the last one's end, mean over runs
 * @param launches operators in order
 */
record MeasuredProblem(Path file, String title, String gpu, JsonNode run, double nanos, List<Launch> launches) {
    private static final Pattern TITLE = Pattern.compile("b=(\\d+) s=(\\d+) past=(\\d+)(?: balance=(\\S+))? NP(\\d+)");

    /**
     * An operator that ran.
     *
     * @param start nanoseconds since the step began
     * @param end   likewise; kernels of one launch and what lies between them are one span
     * @param alone whether nothing else ran meanwhile
     */
    record Launch(OperatorKind kind, String shape, Work work, double start, double end, boolean alone) {
        /** What fits are made of. */
        CurveFit.Sample sample() {
            return new CurveFit.Sample(work, end - start);
        }
    }

    /**
     * The problems of a report.
     *
     * @throws ConfigException if it is none, or has no costs
     */
    static List<MeasuredProblem> read(Path file) {
        List<MeasuredProblem> problems = new ArrayList<>();
        try {
            for (JsonNode problem : JsonMapper.builder().build().readTree(file.toFile())) {
                List<Launch> launches = launches(problem.path("timeline"));
                if (launches.isEmpty() || !problem.path("run_args").has("model")) {
                    throw new ConfigException(
                            "%s: no operators with their work: expected the JSON report of a run of this program"
                                    .formatted(file));
                }
                problems.add(new MeasuredProblem(
                        file,
                        problem.path("name").asText(),
                        problem.path("gpus").path(0).asText(),
                        problem.path("run_args"),
                        problem.path("total").asDouble(),
                        launches));
            }
        } catch (JacksonException e) {
            throw new ConfigException("%s: malformed JSON: expected a JSON report".formatted(file), e);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: expected a JSON report".formatted(file), e);
        }
        return problems;
    }

    private static List<Launch> launches(JsonNode timeline) {
        Map<Integer, List<JsonNode>> rows = new TreeMap<>();
        for (JsonNode row : timeline) {
            if (row.has("launch")) {
                rows.computeIfAbsent(row.get("launch").asInt(), first -> new ArrayList<>())
                        .add(row);
            }
        }
        List<Launch> launches = new ArrayList<>();
        for (List<JsonNode> launch : rows.values()) {
            double start = launch.stream()
                    .mapToDouble(row ->
                            row.path("end").asDouble() - row.path("duration").asDouble())
                    .min()
                    .orElseThrow();
            double end = launch.stream()
                    .mapToDouble(row -> row.path("end").asDouble())
                    .max()
                    .orElseThrow();
            JsonNode first = launch.getFirst();
            launches.add(new Launch(
                    OperatorKind.of(
                            first.path("operator").asText(), first.path("shape").asText()),
                    first.path("shape").asText(),
                    new Work(
                            Math.round(sum(launch, "flops")),
                            Math.round(sum(launch, "bytes")),
                            Math.round(sum(launch, "link_bytes")),
                            Arithmetic.valueOf(first.path("format").asText().toUpperCase(Locale.ROOT))),
                    start,
                    end,
                    isAlone(start, end, first.path("stream").asInt(), timeline)));
        }
        return launches;
    }

    private static double sum(List<JsonNode> rows, String field) {
        return rows.stream().mapToDouble(row -> row.path(field).asDouble()).sum();
    }

    private static boolean isAlone(double start, double end, int stream, JsonNode timeline) {
        for (JsonNode row : timeline) {
            double until = row.path("end").asDouble();
            double from = until - row.path("duration").asDouble();
            if (row.path("stream").asInt() != stream && from < end && start < until) {
                return false;
            }
        }
        return true;
    }

    /** The same problem for an estimate of a GPU. */
    RunConfig config(String gpu) {
        Matcher label = TITLE.matcher(title);
        if (!label.lookingAt()) {
            throw new ConfigException("%s: '%s' is no problem of a run".formatted(file, title));
        }
        List<String> layers = new ArrayList<>();
        run.path("layer_indices").forEach(layer -> layers.add(layer.asText()));
        boolean gen = run.path("run_type").asText().equals("GEN");
        List<String> arguments = new ArrayList<>(List.of(gen ? "config_gen.yaml" : "config_ctx.yaml"));
        arguments.addAll(List.of("--layer-indices", String.join(",", layers)));
        arguments.addAll(List.of("--batch-size", label.group(1), "--seq-len-q", label.group(2)));
        arguments.addAll(List.of("--seq-len-kv-cache", label.group(3), "--np", label.group(5)));
        if (label.group(4) != null) {
            arguments.addAll(List.of("--balance-ratio", label.group(4)));
        }
        for (String option : List.of("model", "moe_backend", "kv_cache_dtype", "balance_method", "tokens_per_block")) {
            if (run.hasNonNull(option)) {
                arguments.addAll(
                        List.of("--" + option.replace('_', '-'), run.get(option).asText()));
            }
        }
        for (String flag : List.of("enable_attention_dp", "use_cuda_graph", "use_low_precision_moe_combine")) {
            arguments.add((run.path(flag).asBoolean() ? "--" : "--no-") + flag.replace('_', '-'));
        }
        arguments.addAll(List.of("--device", "estimate:" + gpu));
        return RunOptions.parse("fit", arguments, new PrintStream(PrintStream.nullOutputStream()))
                .orElseThrow();
    }

    /** Whether it is that point of a sweep, on that GPU. */
    boolean isOf(SweepPoint.Series where, ProblemSpec problem, Optional<GpuFacts> measuredOn, GpuFacts sweptGpu) {
        Matcher label = TITLE.matcher(title);
        return label.lookingAt()
                && measuredOn
                        .filter(facts -> facts.name().equals(sweptGpu.name()))
                        .isPresent()
                && !run.has(Markers.ESTIMATE)
                && label.group(1).equals(String.valueOf(problem.batchSize()))
                && label.group(2).equals(String.valueOf(problem.seqLenQ()))
                && label.group(3).equals(String.valueOf(problem.seqLenKvCache()))
                && label.group(5).equals(String.valueOf(where.ranks()))
                && run.path("model").asText().equals(where.model())
                && run.path("run_type").asText().equals(where.runType())
                && run.path("moe_backend").asText().equals(where.backend())
                && run.path("enable_attention_dp").asBoolean()
                        == where.attention().equals("DP")
                && layers().equals(where.layers());
    }

    private String layers() {
        List<String> layers = new ArrayList<>();
        run.path("layer_indices").forEach(layer -> layers.add(layer.asText()));
        return layers.toString();
    }

    /** As in {@code GEN deepseek-ai/DeepSeek-R1-0528 layers 5, graph}. */
    String what() {
        return "%s %s layers %s, %s"
                .formatted(
                        run.path("run_type").asText(),
                        run.path("model").asText(),
                        layers(),
                        run.path("use_cuda_graph").asBoolean() ? "graph" : "eager");
    }
}
