package layerwise.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.trace.CostRecord;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/** A trace of this project's own recorder: an operator of two kernels whose cost is known, and a kernel without. */
final class RecordedTrace {
    private static final CostRecord GEMM =
            new CostRecord("mla.q", "2x3", "bf16", 6_000_000, 3_000_000, 0, "memory", 1000, 2000);
    private static final ProblemSpec SPEC = new ProblemSpec(1, 2, 3, OptionalDouble.of(0.5));

    private RecordedTrace() {}

    /** Ten runs after one of warm-up; the GEMM of every run takes {@code longer} nanoseconds more. */
    static Path write(Path file, long longer) {
        return write(file, longer, "MLA");
    }

    /** The same with the operator in a range of another name. */
    static Path write(Path file, long longer, String module) {
        AtomicLong clock = new AtomicLong(1_760_000_000_000_000_000L);
        TraceRecorder recorder =
                TraceRecorder.start(new TraceProcess(1, "test", List.of(), "layerwise test"), clock::get);
        recorder.mark(Markers.args(Map.of("warmup_times", 1)));
        recorder.mark(Markers.problem(SPEC));
        for (int run = 0; run <= 10; run++) {
            clock.addAndGet(10_000);
            recorder.pushRange(Markers.run(SPEC, 1));
            recorder.pushRange(module);
            recorder.pushRange(Markers.cost(GEMM));
            long start = recorder.now();
            recorder.kernel("gemm", 7, start, start, start, start + 3000 + longer);
            recorder.kernel("reduce", 7, start, start, start + 3000 + longer, start + 4000 + longer);
            recorder.popRange();
            recorder.popRange();
            clock.addAndGet(1);
            recorder.kernel("norm", 7, start + 1, start + 1, start + 4100 + longer, start + 5000 + longer);
            clock.addAndGet(1);
            recorder.popRange();
        }
        recorder.write(file);
        return file;
    }
}
