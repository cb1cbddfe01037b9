package layerwise.bench.estimate;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.config.RunConfig;
import layerwise.bench.config.Statistics;
import layerwise.bench.device.GpuFile;
import layerwise.bench.device.Installation;
import layerwise.bench.ranks.Rank;
import layerwise.bench.run.Recording;
import layerwise.bench.run.Version;
import layerwise.estimate.Efficiency;
import layerwise.model.spec.ModelSpec;
import layerwise.tensor.ConfigException;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceProcess;

/** A run whose clock is simulated: all ranks in one process, a statistics line and a trace for each. */
public final class EstimateRun {
    private EstimateRun() {}

    /**
     * Estimates every problem of a configuration.
     *
     * @param arguments   of the process, for the trace
     * @param environment variables of the process
     * @throws ConfigException if there is no such GPU, the layers do not divide over the ranks, or something needs a real one
     */
    public static void run(
            RunConfig config,
            ModelSpec model,
            DeviceChoice.Estimate device,
            List<String> arguments,
            Map<String, String> environment,
            PrintStream out,
            PrintStream err) {
        if (Rank.of(environment).world() > 1) {
            throw new ConfigException(
                    "environment: %d processes, but an estimate has all ranks in one; expected --np %1$d and one process"
                            .formatted(Rank.of(environment).world()));
        }
        Recording recording = Recording.of(environment);
        recording.prepare();
        Estimator estimator = estimator(config, model, device, environment);
        Efficiency efficiency = efficiency(device);
        RankPlan first = estimator.plan(0);
        String basis =
                "%s, %s; %s".formatted(estimator.gpu().name(), estimator.cluster(), efficiency.basis(device.gpu()));
        err.println("Layer-wise benchmarks: " + basis);
        err.println("Layer-wise benchmarks: " + first.exchange());
        long bytes = first.bytes();
        if (bytes > estimator.gpu().memoryBytes()) {
            err.println(String.format(
                    Locale.ROOT,
                    "Layer-wise benchmarks: weights and caches of a rank take %.1f GB, the GPU has %.0f GB",
                    bytes / 1e9,
                    estimator.gpu().memoryBytes() / 1e9));
        }
        Map<Integer, StepTrace> traces = new LinkedHashMap<>();
        int world = estimator.cluster().ranks();
        TraceProcess process = TraceProcess.current("layerwise", arguments, "layerwise " + Version.current());
        String marker = config.argsJson(marker(config, estimator, basis));
        for (ProblemSpec problem : config.problems()) {
            Estimator.Step step = estimator.step(problem);
            for (int rank = 0; rank < world; rank++) {
                out.println(Statistics.of(new double[] {step.nanos(rank) / 1e3}).line(rank, problem));
                if (recording.profiler() != Recording.Profiler.NONE) {
                    traces.computeIfAbsent(rank, r -> new StepTrace(process, config, marker, estimator.gpu(), world))
                            .add(problem, step.program(rank), step.spans(rank));
                }
            }
        }
        traces.forEach((rank, trace) -> trace.write(recording.trace(new Rank(rank, world, 0, 1))));
    }

    /** What the trace says beyond the configuration: one step is simulated, since all of them would be alike. */
    private static Map<String, Object> marker(RunConfig config, Estimator estimator, String basis) {
        Map<String, Object> marker = new LinkedHashMap<>();
        marker.put("warmup_times", 0);
        marker.put("run_times", 1);
        marker.put("device", config.device().toString());
        marker.put("np", estimator.cluster().ranks());
        marker.put("gpus_per_node", estimator.cluster().gpusPerNode());
        marker.put(Markers.ESTIMATE, basis);
        return marker;
    }

    static Estimator estimator(
            RunConfig config, ModelSpec model, DeviceChoice.Estimate device, Map<String, String> environment) {
        Path gpus = Installation.home().resolve("configs/gpus");
        return new Estimator(
                config, model, device, GpuFile.named("device", device.gpu(), gpus), efficiency(device), environment);
    }

    private static Efficiency efficiency(DeviceChoice.Estimate device) {
        return CurveFile.of(device.gpu(), Installation.home().resolve("configs/curves"));
    }
}
