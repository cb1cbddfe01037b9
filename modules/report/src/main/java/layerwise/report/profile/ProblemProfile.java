package layerwise.report.profile;

import java.util.List;
import java.util.Optional;
import layerwise.trace.ProblemSpec;

/**
 * Everything measured of one problem.
 *
 * @param title      label of its runs
 * @param spec       batch and lengths; empty for a trace without markers
 * @param runs       runs in the trace, warm-up included
 * @param modules    names of the module ranges that end by the end of the first run, in order
 * @param operations its activities in sequence order: launches in the order of capture
 * @param totals     overlap, space and total
 * @param timeline   one run as it happened
 * @param grouped    whether operations of one name and path were put together because the runs differ
 * @param window     when its measured runs ran
 */
public record ProblemProfile(
        String title,
        Optional<ProblemSpec> spec,
        int runs,
        List<String> modules,
        List<Operation> operations,
        RunTotals totals,
        Timeline timeline,
        boolean grouped,
        Window window) {
    public ProblemProfile {
        modules = List.copyOf(modules);
        operations = List.copyOf(operations);
    }
}
