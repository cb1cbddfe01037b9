package layerwise.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.trace.CostRecord;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/** A trace of several problems, each a module of known time and limit and a kernel of 1 us outside. */
final class SweptTrace {
    private static final int RUNS = 5;

    private record Problem(ProblemSpec spec, long nanos, double limitNanos) {}

    private final List<Problem> problems = new ArrayList<>();
    private final Map<String, Object> arguments = new HashMap<>(Map.of("warmup_times", 1));
    private String module = "MLA";

    SweptTrace module(String name) {
        module = name;
        return this;
    }

    SweptTrace estimated(String basis) {
        arguments.put(Markers.ESTIMATE, basis);
        return this;
    }

    /** A problem whose module takes these nanoseconds on average; NaN is no limit. */
    SweptTrace add(int batch, int queries, int past, long nanos, double limitNanos) {
        problems.add(new Problem(new ProblemSpec(batch, queries, past, OptionalDouble.empty()), nanos, limitNanos));
        return this;
    }

    /** The same with a balance ratio. */
    SweptTrace balanced(double ratio, int past, long nanos) {
        problems.add(new Problem(new ProblemSpec(1, 1, past, OptionalDouble.of(ratio)), nanos, Double.NaN));
        return this;
    }

    /** Decode of one sequence over each of these pairs of past and nanoseconds; half of the time is the limit. */
    static SweptTrace decode(long... pastAndNanos) {
        SweptTrace trace = new SweptTrace();
        for (int i = 0; i < pastAndNanos.length; i += 2) {
            trace.add(1, 1, (int) pastAndNanos[i], pastAndNanos[i + 1], pastAndNanos[i + 1] / 2.0);
        }
        return trace;
    }

    /** Writes it; runs differ from their mean by -200 to 200 ns, the one of warm-up by more. */
    Path write(Path file) {
        AtomicLong clock = new AtomicLong(1_760_000_000_000_000_000L);
        TraceRecorder recorder =
                TraceRecorder.start(new TraceProcess(1, "test", List.of(), "layerwise test"), clock::get);
        recorder.mark(Markers.args(arguments));
        for (Problem problem : problems) {
            recorder.mark(Markers.problem(problem.spec));
            for (int run = 0; run <= RUNS; run++) {
                long nanos = problem.nanos + (run == 0 ? 50_000 : 100 * (run - 3));
                clock.addAndGet(10_000);
                recorder.pushRange(Markers.run(problem.spec, 1));
                recorder.pushRange(module);
                recorder.pushRange(Markers.cost(
                        new CostRecord("op", "1", "bf16", 1000, 1000, 0, "memory", problem.limitNanos, Double.NaN)));
                long start = recorder.now();
                recorder.kernel("attention", 7, start, start, start, start + nanos);
                recorder.popRange();
                recorder.popRange();
                clock.addAndGet(1);
                recorder.kernel("norm", 7, start + 1, start + 1, start + nanos, start + nanos + 1000);
                clock.addAndGet(1);
                recorder.popRange();
                clock.addAndGet(nanos);
            }
        }
        recorder.write(file);
        return file;
    }
}
