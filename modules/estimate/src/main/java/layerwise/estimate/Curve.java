package layerwise.estimate;

import java.util.List;
import layerwise.op.Work;

/**
 * How long operators of one kind take, by their size: {@code t = overhead + (C^p + M^p)^(1/p)}, with C and M the times of
 * arithmetic and memory traffic at shares of the nominal rates; then what was measured near that size instead of it.
 *
 * @param overheadNanos what every launch takes
 * @param compute       share of the nominal rate of arithmetic that large ones reach
 * @param memory        share of the nominal bandwidth that large ones reach
 * @param sharpness     p: 1 where both take turns, large where the longer hides the other
 * @param points        sizes that were measured
 */
public record Curve(double overheadNanos, double compute, double memory, double sharpness, List<Point> points) {
    /** Distance in octaves at which a measured size says 61 % as much as at none. */
    private static final double REACH = 0.5;

    /** Weight of the formula among measured sizes. */
    private static final double FORMULA = 0.05;

    /**
     * A measured size.
     *
     * @param correction natural logarithm of the measured time over the formula's
     */
    public record Point(double flops, double bytes, double correction) {}

    public Curve {
        points = List.copyOf(points);
        if (!(overheadNanos >= 0 && compute > 0 && memory > 0 && sharpness >= 1)) {
            throw new IllegalArgumentException(
                    "overhead %s, shares %s and %s, sharpness %s".formatted(overheadNanos, compute, memory, sharpness));
        }
    }

    /** Nanoseconds of arithmetic at this kind's share of a rate; 0 where the rate is not known. */
    double computeNanos(Work work, Rates rates) {
        double nanos = rates.computeNanos(work);
        return Double.isNaN(nanos) ? 0 : nanos / compute;
    }

    /** Nanoseconds of memory traffic at this kind's share of the bandwidth. */
    double memoryNanos(Work work, Rates rates) {
        return rates.memoryNanos(work) / memory;
    }

    /** The formula alone. */
    double formulaNanos(Work work, Rates rates) {
        double arithmetic = computeNanos(work, rates);
        double traffic = memoryNanos(work, rates);
        double longer = Math.max(arithmetic, traffic);
        if (longer == 0) {
            return overheadNanos;
        }
        double shorter = Math.min(arithmetic, traffic) / longer;
        return overheadNanos + longer * Math.pow(1 + Math.pow(shorter, sharpness), 1 / sharpness);
    }

    /** Nanoseconds at the given nominal rates. */
    public double nanos(Work work, Rates rates) {
        double sum = 0;
        double weights = FORMULA;
        for (Point point : points) {
            double octaves = Math.hypot(octaves(work.flops(), point.flops()), octaves(work.bytes(), point.bytes()));
            double weight = Math.exp(-0.5 * Math.pow(octaves / REACH, 2));
            sum += weight * point.correction();
            weights += weight;
        }
        return formulaNanos(work, rates) * Math.exp(sum / weights);
    }

    private static double octaves(double a, double b) {
        return Math.log((1 + a) / (1 + b)) / Math.log(2);
    }
}
