package layerwise.report.plot;

import layerwise.trace.ProblemSpec;

/**
 * The time of a module or an operator in one problem.
 *
 * @param nanos      nanoseconds, more than 0: the mean of the table of modules, or the median of an operator's replays
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
