package layerwise.report.plot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import layerwise.report.profile.Profile;

/**
 * What a plot takes from one file.
 *
 * @param file     a trace, or what {@code operators} left
 * @param traits   what of the file's own words tells its run from others, the same kinds in the same order for all files of a
 *                 plot; empty for traces, which their paths tell apart
 * @param gpus     names of its GPUs
 * @param estimate what its times were estimated from; empty where they were measured
 * @param caveat   what a reader of its times must know; empty where that is nothing
 * @param points   the times, in order of the problems
 */
public record PlotFile(
        Path file,
        List<String> traits,
        List<String> gpus,
        Optional<String> estimate,
        Optional<String> caveat,
        List<PlotPoint> points) {
    public PlotFile {
        traits = List.copyOf(traits);
        gpus = List.copyOf(gpus);
        points = List.copyOf(points);
    }

    /**
     * The points of one module of a trace.
     *
     * @param module its name as in the table of modules
     * @throws layerwise.trace.TraceException if the trace has no such module, or several
     */
    public static PlotFile of(Path file, Profile profile, String module) {
        return new PlotFile(
                file,
                List.of(),
                profile.gpus(),
                profile.estimate(),
                Optional.empty(),
                new NamedModule(module, file).points(profile.problems()));
    }
}
