package layerwise.bench.run;

import layerwise.bench.config.RunConfig;
import layerwise.bench.ranks.Rank;
import layerwise.op.Execution;
import layerwise.op.Replay;
import layerwise.op.Stopwatch;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;

/** The measured loop of one problem. */
final class Measurement {
    private final RunConfig config;
    private final Rank rank;
    private final TraceJournal journal;

    Measurement(RunConfig config, Rank rank, TraceJournal journal) {
        this.config = config;
        this.rank = rank;
        this.journal = journal;
    }

    /**
     * Runs a prepared problem once eagerly, captures it where graphs are asked for, then times {@code warmup_times +
     * run_times} iterations.
     *
     * @return microseconds of each counted iteration
     */
    double[] run(Workbench bench, Pack pack, ProblemSpec problem) {
        journal.mark(Markers.problem(problem));
        Execution execution = pack.execution();
        execution.run();
        bench.executor().synchronize();
        String label = Markers.run(problem, rank.world());
        int iterations = config.warmupTimes() + config.runTimes();
        try (Stopwatch stopwatch = bench.executor().stopwatch(iterations + 1);
                Replay iteration = config.cudaGraph() ? execution.capture() : Replay.eager(execution)) {
            for (int i = 0; i < iterations; i++) {
                stopwatch.mark(i);
                pack.calibration().before(i);
                journal.enter(label);
                iteration.launch();
                journal.leave();
                pack.calibration().after(i);
            }
            stopwatch.mark(iterations);
            bench.executor().synchronize();
            pack.calibration().finish();
            double[] micros = new double[config.runTimes()];
            for (int i = 0; i < micros.length; i++) {
                micros[i] = stopwatch.micros(config.warmupTimes() + i, config.warmupTimes() + i + 1);
            }
            return micros;
        }
    }
}
