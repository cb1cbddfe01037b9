package layerwise.report.profile;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.trace.Exporter;
import layerwise.trace.Markers;
import layerwise.trace.TraceException;

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

    /** What the times were estimated from, and with what error; empty where they were measured. */
    public Optional<String> estimate() {
        return Optional.ofNullable(runArgs.get(Markers.ESTIMATE)).map(Object::toString);
    }

    /** Whether its times are results: ranks that shared a GPU waited for each other's turns. */
    public boolean isTimed() {
        return !Boolean.TRUE.equals(runArgs.get(Markers.SHARE_GPU));
    }

    /**
     * For reports that are about times.
     *
     * @throws TraceException if these are no results
     */
    public void requireTimes(Object file) {
        if (!isTimed()) {
            throw new TraceException(
                    file + ": ranks shared a GPU, so its times are no results; expected a run without --share-gpu");
        }
    }
}
