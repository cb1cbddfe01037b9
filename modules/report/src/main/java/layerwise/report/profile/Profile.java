package layerwise.report.profile;

import java.util.List;
import java.util.Map;
import layerwise.trace.Exporter;

/**
 * A trace, evaluated.
 *
 * @param exporter what wrote the trace
 * @param gpus     names of the machine's GPUs
 * @param runArgs  the benchmark's arguments as its marker states them; empty where it has none
 * @param warmup   runs of each problem that were dropped
 * @param problems problems in order
 * @param metrics  what was sampled of the GPUs
 */
public record Profile(
        Exporter exporter,
        List<String> gpus,
        Map<String, Object> runArgs,
        int warmup,
        List<ProblemProfile> problems,
        SampledMetrics metrics) {
    public Profile {
        gpus = List.copyOf(gpus);
        problems = List.copyOf(problems);
    }
}
