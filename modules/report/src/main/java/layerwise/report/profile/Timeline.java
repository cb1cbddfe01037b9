package layerwise.report.profile;

import java.util.List;

/**
 * One run as it happened: the measured run whose total is nearest the median.
 *
 * @param run   its number among all runs, warm-up included
 * @param spans activities in sequence order
 */
public record Timeline(int run, List<Span> spans) {
    /**
     * One activity.
     *
     * @param operation its operation's number
     * @param start     nanoseconds since the run's first start
     * @param end       nanoseconds since the run's first start
     * @param lane      device and stream
     */
    public record Span(int operation, long start, long end, int lane) {}

    public Timeline {
        spans = List.copyOf(spans);
    }
}
