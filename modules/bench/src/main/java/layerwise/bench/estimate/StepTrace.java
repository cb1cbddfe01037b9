package layerwise.bench.estimate;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import layerwise.bench.config.RunConfig;
import layerwise.bench.run.CostRanges;
import layerwise.bench.run.RecordedRanges;
import layerwise.estimate.GpuFacts;
import layerwise.estimate.Span;
import layerwise.op.Journal;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.trace.GpuInfo;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/** The trace of one simulated rank: ranges, launches and kernels as a run records them, on the simulated clock. */
final class StepTrace {
    /** Between what the host does and what the GPU does of it. */
    private static final long LAUNCH_NANOS = 3000;

    private final SimulatedTime clock;
    private final TraceRecorder recorder;
    private final RecordedRanges journal;
    private final RunConfig config;
    private final GpuFacts gpu;
    private final int world;

    /**
     * Begins a trace.
     *
     * @param process   that records
     * @param arguments the arguments marker's JSON
     * @param world     ranks
     */
    StepTrace(TraceProcess process, RunConfig config, String arguments, GpuFacts gpu, int world) {
        Instant now = Instant.now();
        clock = new SimulatedTime(now.getEpochSecond() * 1_000_000_000L + now.getNano());
        recorder = TraceRecorder.start(process, clock);
        journal = new RecordedRanges(recorder, false);
        this.config = config;
        this.gpu = gpu;
        this.world = world;
        recorder.gpu(new GpuInfo(
                0,
                gpu.name() + " (simulated)",
                "",
                "",
                "",
                0,
                0,
                0,
                gpu.memoryBytes(),
                (long) gpu.nominal().bytesPerSecond(),
                0,
                0));
        journal.mark(Markers.PREFIX + "args " + arguments);
    }

    /** Adds one problem: its step once, since every other iteration would be the same. */
    void add(ProblemSpec problem, Program step, List<Span> spans) {
        journal.mark(Markers.problem(problem));
        Program program = CostRanges.around(step, Optional.of(gpu));
        String label = Markers.run(problem, world);
        if (config.cudaGraph()) {
            graph(program, spans, label);
        } else {
            eager(program, spans, label);
        }
    }

    private void graph(Program program, List<Span> spans, String label) {
        Journal.Graph graph = journal.capture();
        int node = 0;
        for (Step step : program.steps()) {
            switch (step) {
                case Step.Enter enter -> journal.enter(enter.range());
                case Step.Leave leave -> journal.leave();
                case Step.Fork fork -> {}
                case Step.Join join -> {}
                case Step.Launch launch -> {
                    Span span = spans.get(node++);
                    graph.node(launch.operator().name(), span.lane());
                }
            }
        }
        journal.enter(label);
        graph.launch();
        journal.leave();
        long start = recorder.now() + LAUNCH_NANOS;
        for (int i = 0; i < spans.size(); i++) {
            graph.ran(
                    i,
                    start + Math.round(spans.get(i).start()),
                    start + Math.round(spans.get(i).end()));
            clock.advanceTo(clockTime(start + Math.round(spans.get(i).end())));
        }
    }

    private void eager(Program program, List<Span> spans, String label) {
        long start = recorder.now() + LAUNCH_NANOS;
        int at = 0;
        journal.enter(label);
        for (Step step : program.steps()) {
            switch (step) {
                case Step.Enter enter -> journal.enter(enter.range());
                case Step.Leave leave -> journal.leave();
                case Step.Fork fork -> {}
                case Step.Join join -> {}
                case Step.Launch launch -> {
                    Span span = spans.get(at++);
                    clock.advanceTo(clockTime(start + Math.round(span.start())));
                    long from = recorder.now();
                    long until = from + Math.max(1, Math.round(span.end() - span.start()));
                    journal.ran(launch.operator().name(), span.lane(), from, until);
                }
            }
        }
        clock.advanceTo(clockTime(start + Math.round(spans.getLast().end())));
        journal.leave();
    }

    /** A time since the session's start as the clock counts. */
    private long clockTime(long sinceStart) {
        return sinceStart - recorder.sinceStart(0);
    }

    /** Writes the file. */
    void write(Path file) {
        recorder.captureFact("DEVICE", gpu.name() + " (simulated)");
        recorder.write(file);
    }
}
