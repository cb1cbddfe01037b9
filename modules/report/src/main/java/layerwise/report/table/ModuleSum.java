package layerwise.report.table;

import java.util.List;
import java.util.Optional;
import layerwise.report.profile.Cost;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Samples;

/**
 * All kernels of one problem inside modules of one path, wherever in the sequence.
 *
 * @param path    module names, outer before inner; empty for kernels outside every module
 * @param kernels kernels, copies and memory sets of one run
 * @param nanos   sum of their mean times
 * @param samples the same sum for each measured run
 * @param share   part of the problem's total
 * @param cost    sum of their costs; empty where the trace has none
 */
public record ModuleSum(
        List<String> path, int kernels, double nanos, Samples samples, double share, Optional<Cost> cost) {
    /** Name of the sum over all rows. */
    public static final String WHOLE = "(all layers)";

    private static final String OUTSIDE = "(outside modules)";

    public ModuleSum {
        path = List.copyOf(path);
    }

    /** All layers together: the work of every row over the time from the first start to the last end. */
    public static ModuleSum whole(ProblemProfile problem) {
        Samples total = problem.totals().total();
        return new ModuleSum(
                List.of(WHOLE),
                problem.operations().size(),
                total.mean(),
                total,
                1,
                problem.operations().stream()
                        .flatMap(operation -> operation.cost().stream())
                        .reduce(Cost::plus));
    }

    /** What tables call it: its innermost module. */
    public String name() {
        return path.isEmpty() ? OUTSIDE : path.getLast();
    }
}
