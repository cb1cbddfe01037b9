package layerwise.report.plot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.report.profile.Profile;

/**
 * What a plot takes from one trace.
 *
 * @param file     the trace
 * @param gpus     names of its GPUs
 * @param estimate what its times were estimated from; empty where they were measured
 * @param points   the module's times, in order of the problems
 */
public record PlotTrace(Path file, List<String> gpus, Optional<String> estimate, List<PlotPoint> points) {
    public PlotTrace {
        gpus = List.copyOf(gpus);
        points = List.copyOf(points);
    }

    /**
     * The points of one module.
     *
     * @param module its name as in the table of modules
     * @throws layerwise.trace.TraceException if the trace has no such module, or several
     */
    public static PlotTrace of(Path file, Profile profile, String module) {
        return new PlotTrace(
                file, profile.gpus(), profile.estimate(), new NamedModule(module, file).points(profile.problems()));
    }
}
