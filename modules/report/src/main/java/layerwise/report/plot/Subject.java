package layerwise.report.plot;

/**
 * What a plot shows the time of.
 *
 * @param kind      {@code module} or {@code operator}
 * @param name      its name
 * @param statistic which of its times a point is: {@code mean} or {@code median}
 */
public record Subject(String kind, String name, String statistic) {
    /** A module of traces: its row in the table of modules is a mean. */
    public static Subject module(String name) {
        return new Subject("module", name, "mean");
    }

    /** An operator that was timed alone: its limit is compared with the median of its replays. */
    public static Subject operator(String name) {
        return new Subject("operator", name, "median");
    }
}
