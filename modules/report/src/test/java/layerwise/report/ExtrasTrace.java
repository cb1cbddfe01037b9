package layerwise.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/**
 * A trace with frames and sampled metrics: after one run of warm-up four measured ones, each a graph of two kernels and an
 * eager kernel. A sample is taken in the middle of every run; those of the warm-up must not count.
 */
final class ExtrasTrace {
    static final ProblemSpec SPEC = new ProblemSpec(8, 1, 100, OptionalDouble.empty());

    private static final int SM_CLOCK = 1;
    private static final int REASONS = 7;
    private static final int NO_SAMPLES = 9;
    private static final long[] CLOCKS = {345, 1980, 1980, 1755, 1981};
    private static final long[] EVENTS = {1, 0, 0, 4, 0};

    private ExtrasTrace() {}

    private static StackTraceElement frame(String method, int line) {
        return new StackTraceElement("app", "engine", "1", "engine.Layer", method, "Layer.java", line);
    }

    static void record(Path file) {
        AtomicLong clock = new AtomicLong(1_760_000_000_000_000_000L);
        TraceRecorder recorder =
                TraceRecorder.start(new TraceProcess(1, "test", List.of(), "layerwise test"), clock::get);
        recorder.gpuMetricName(3, SM_CLOCK, "SM Clock [MHz]");
        recorder.gpuMetricName(3, REASONS, "Clock Event Reasons [bits]");
        recorder.gpuMetricName(3, NO_SAMPLES, "DRAM Read Bandwidth [Throughput %]");
        recorder.gpuMetricsAbsent("SM, tensor and DRAM activity: only for administrators");
        recorder.mark(Markers.args(Map.of("warmup_times", 1)));
        recorder.mark(Markers.problem(SPEC));
        int captured = recorder.callChain(List.of(frame("launch", 3), frame("attention", 40)));
        int eager = recorder.callChain(List.of(frame("launch", 3), frame("norm", 77), frame("main", 9)));
        clock.addAndGet(10);
        recorder.pushRange("MLA");
        clock.addAndGet(10);
        long gemm = recorder.captureNode(1, 0, captured);
        clock.addAndGet(10);
        long reduce = recorder.captureNode(1, 1, captured);
        clock.addAndGet(10);
        recorder.popRange();
        for (int run = 0; run < CLOCKS.length; run++) {
            clock.addAndGet(100_000);
            long start = recorder.now();
            recorder.pushRange(Markers.run(SPEC, 1));
            long correlation = recorder.nextCorrelation();
            recorder.call("graph launch", correlation, start + 10, start + 20, 0);
            recorder.kernel(correlation, gemm, "gemm", 7, start + 100, start + 3100);
            recorder.kernel(correlation, reduce, "reduce", 7, start + 3100, start + 4100);
            recorder.kernel("norm", 7, start + 30, start + 40, start + 4200, start + 5200, eager);
            recorder.kernel("bare", 7, start + 50, start + 60, start + 5300, start + 5400, 0);
            recorder.gpuMetric(start + 2000, 3, SM_CLOCK, CLOCKS[run]);
            recorder.gpuMetric(start + 2000, 3, REASONS, EVENTS[run]);
            clock.addAndGet(100);
            recorder.popRange();
        }
        recorder.write(file);
    }
}
