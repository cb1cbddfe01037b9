package layerwise.report.profile;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import layerwise.trace.ApiCalls;
import layerwise.trace.CallChains;
import layerwise.trace.GpuActivities;
import layerwise.trace.GraphNodes;
import layerwise.trace.NvtxRanges;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;

/** Evaluates traces of layer-wise benchmarks. */
public final class Profiler {
    private static final System.Logger LOG = System.getLogger(Profiler.class.getName());

    private final TraceFile trace;
    private final ProfileOptions options;
    private final ShortNames shortNames;

    public Profiler(TraceFile trace, ProfileOptions options, ShortNames shortNames) {
        this.trace = trace;
        this.options = options;
        this.shortNames = shortNames;
    }

    /** Whether the trace has markers of the benchmark; one without can only be listed, not evaluated. */
    public boolean hasMarkers() {
        return trace.hasTable("NVTX_EVENTS") && !recording().problems().isEmpty();
    }

    /**
     * Reads and evaluates the trace.
     *
     * @throws TraceException if it holds no layer-wise benchmark, or one whose runs cannot be compared
     */
    public Profile evaluate() {
        Recording recording = recording();
        if (recording.problems().isEmpty()) {
            throw failure(
                    "has no layer-wise markers (no range 'layer_wise_benchmarks problem_spec'); --lenient lists its"
                            + " kernels by NVTX path");
        }
        CompletableFuture<GraphNodes> nodes = CompletableFuture.supplyAsync(trace::graphNodes);
        CompletableFuture<ApiCalls> calls = CompletableFuture.supplyAsync(trace::calls);
        CompletableFuture<CallChains> chains = CompletableFuture.supplyAsync(trace::callChains);
        CompletableFuture<SampledMetrics> metrics =
                CompletableFuture.supplyAsync(() -> new SampledMetrics(trace.gpuMetrics(), trace.absentGpuMetrics()));
        CompletableFuture<Map<Integer, String>> strings = CompletableFuture.supplyAsync(trace::strings);
        GpuActivities activities = trace.activities();
        Attribution attribution =
                new Attribution(activities, join(calls), join(nodes), join(chains), recording.problems());
        if (attribution.withoutCall() > 0) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "{0} of {1} GPU activities have no API call and belong to no run",
                    attribution.withoutCall(),
                    activities.size());
        }
        KernelNames names = new KernelNames(join(strings), shortNames);
        int warmup = warmup(recording);
        Evaluation evaluation = problem ->
                new ProblemAnalysis(recording, problem, attribution, activities, names, options, warmup).evaluate();
        List<ProblemProfile> problems = named(() -> all(recording.problems().size(), evaluation));
        checkAttributed(problems);
        return new Profile(trace.exporter(), trace.gpuNames(), recording.runArgs(), warmup, problems, join(metrics));
    }

    private interface Evaluation {
        ProblemProfile of(int problem);
    }

    /** Evaluates problems in parallel; where one fails, reports the first that does, whichever thread was faster. */
    private static List<ProblemProfile> all(int count, Evaluation evaluation) {
        try {
            return IntStream.range(0, count).parallel().mapToObj(evaluation::of).toList();
        } catch (TraceException e) {
            return IntStream.range(0, count).mapToObj(evaluation::of).toList();
        }
    }

    private Recording recording() {
        if (!trace.hasTable("NVTX_EVENTS")) {
            throw failure("table NVTX_EVENTS is missing (written by " + trace.exporter()
                    + "): no NVTX range was recorded, nsys needs -t cuda,nvtx; --lenient lists its kernels");
        }
        NvtxRanges ranges = trace.ranges();
        return named(() -> Recording.read(ranges));
    }

    private int warmup(Recording recording) {
        if (options.warmup().isPresent()) {
            return options.warmup().getAsInt();
        }
        if (recording.runArgs().get("warmup_times") instanceof Number recorded) {
            return recorded.intValue();
        }
        throw failure("records no warmup_times; give --warmup-times N, the runs to drop from each problem");
    }

    /** A module tree without a single module under graph replay means that the captures were not seen. */
    private void checkAttributed(List<ProblemProfile> problems) {
        boolean anyModule = problems.stream().anyMatch(p -> !p.modules().isEmpty());
        boolean anyPath = problems.stream()
                .flatMap(p -> p.operations().stream())
                .anyMatch(operation -> !operation.path().isEmpty());
        if (anyModule && !anyPath) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "no kernel lies in a module range: the graphs were captured before collection began, or by a"
                            + " version of nsys that does not place their nodes");
        }
    }

    private <T> T named(Supplier<T> work) {
        try {
            return work.get();
        } catch (TraceException e) {
            throw Optional.of(e)
                    .filter(known -> known.getMessage().startsWith(trace.path().toString()))
                    .orElseGet(() -> new TraceException(trace.path() + ": " + e.getMessage(), e));
        }
    }

    private TraceException failure(String message) {
        return new TraceException(trace.path() + ": " + message);
    }

    private static <T> T join(CompletableFuture<T> work) {
        try {
            return work.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TraceException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
