package layerwise.report.plot;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.report.profile.Cost;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.table.ModuleSum;
import layerwise.report.table.ModuleSums;
import layerwise.trace.TraceException;

/**
 * A module that is looked for in a trace.
 *
 * @param name its name as in the table of modules, or its path with {@code " > "} between
 */
record NamedModule(String name, Path trace) {
    private static final String BETWEEN = " > ";

    /** A sum in one problem. */
    private record Sum(ProblemProfile problem, ModuleSum module) {}

    /**
     * Its point in every problem that has it.
     *
     * @throws TraceException if no problem has it, or modules of several paths have its name
     */
    List<PlotPoint> points(List<ProblemProfile> problems) {
        List<Sum> all = problems.parallelStream()
                .filter(problem -> problem.spec().isPresent())
                .flatMap(problem -> sums(problem).map(sum -> new Sum(problem, sum)))
                .toList();
        List<Sum> found = all.stream().filter(sum -> isMeant(sum.module())).toList();
        Set<String> paths =
                found.stream().map(sum -> path(sum.module())).collect(Collectors.toCollection(LinkedHashSet::new));
        if (paths.size() > 1) {
            throw new TraceException("--module " + name + ": is " + paths.size() + " modules of " + trace
                    + "; expected the path of one: " + String.join(", ", paths));
        }
        List<PlotPoint> points = found.stream()
                .filter(sum -> sum.module().nanos() > 0)
                .map(sum -> new PlotPoint(
                        sum.problem().spec().orElseThrow(),
                        sum.module().nanos(),
                        sum.module().cost().map(Cost::limitNanos).orElse(Double.NaN)))
                .toList();
        if (points.isEmpty()) {
            throw unknown(all.stream().map(Sum::module).toList());
        }
        return points;
    }

    private static Stream<ModuleSum> sums(ProblemProfile problem) {
        return Stream.concat(ModuleSums.of(problem).stream(), Stream.of(ModuleSum.whole(problem)));
    }

    private boolean isMeant(ModuleSum module) {
        return module.name().equals(name) || path(module).equals(name);
    }

    private static String path(ModuleSum module) {
        return module.path().isEmpty() ? module.name() : String.join(BETWEEN, module.path());
    }

    private TraceException unknown(List<ModuleSum> modules) {
        List<String> known = modules.stream().map(ModuleSum::name).distinct().toList();
        String nearest = NearestName.hint(name, known);
        return new TraceException("--module " + name + ": expected a module of " + trace
                + (nearest.isEmpty() ? ": " + String.join(", ", known) : nearest));
    }
}
