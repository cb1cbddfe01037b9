package layerwise.report.profile;

/**
 * How the activities of each measured run lie in time, nanoseconds.
 *
 * @param overlap time during which an activity ran beside an earlier one, zero or negative
 * @param space   time between first start and last end during which none ran
 * @param total   from first start to last end: the sum of all durations, overlap and space
 */
public record RunTotals(Samples overlap, Samples space, Samples total) {}
