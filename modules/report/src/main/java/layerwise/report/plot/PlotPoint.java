package layerwise.report.plot;

import layerwise.trace.ProblemSpec;

/**
 * The time of the module in one problem.
 *
 * @param nanos      mean, nanoseconds, as the table of modules has it; more than 0
 * @param limitNanos its limit, nanoseconds; NaN where unknown
 */
public record PlotPoint(ProblemSpec problem, double nanos, double limitNanos) {
    /** Whether a limit can be drawn. */
    public boolean hasLimit() {
        return limitNanos > 0;
    }

    /** Share of the limit in the time, 1 at the limit; NaN where unknown. */
    public double ofLimit() {
        return limitNanos / nanos;
    }
}
