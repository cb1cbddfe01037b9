package layerwise.report.plot;

/**
 * Neighbouring points of a curve and what is taken to lie between them: a straight line in the logarithms of value and
 * time.
 *
 * @param from      value of the dimension, 0 or more
 * @param fromNanos time there, nanoseconds, more than 0
 * @param to        the next value
 * @param toNanos   time there
 */
public record Segment(double from, double fromNanos, double to, double toNanos) {
    /** The value at this part of the way, 0 to 1. */
    public double value(double part) {
        return from > 0 ? from * Math.pow(to / from, part) : to * part; // 0 has no logarithm
    }

    /** The time at this part of the way, nanoseconds. */
    public double nanos(double part) {
        return fromNanos * Math.pow(toNanos / fromNanos, part);
    }
}
