package layerwise.report.profile;

import java.util.Arrays;

/**
 * Values of the measured runs, in run order, nanoseconds.
 *
 * <p>Quantiles interpolate linearly between order statistics: the value at {@code q(n-1)}.
 */
public final class Samples {
    private final long[] values;
    private volatile long[] sorted; // made when a quantile is first asked for

    public Samples(long[] values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("no samples");
        }
        this.values = values.clone();
    }

    public int count() {
        return values.length;
    }

    public long at(int run) {
        return values[run];
    }

    /** A copy of all values. */
    public long[] toArray() {
        return values.clone();
    }

    public double mean() {
        long sum = 0;
        for (long value : values) {
            sum += value;
        }
        return (double) sum / values.length;
    }

    public double median() {
        return quantile(0.5);
    }

    public double p90() {
        return quantile(0.9);
    }

    public long min() {
        return Arrays.stream(values).min().orElseThrow();
    }

    public long max() {
        return Arrays.stream(values).max().orElseThrow();
    }

    /** The value below which the share {@code q} of the samples lies. */
    public double quantile(double q) {
        long[] ordered = sorted();
        double position = q * (ordered.length - 1);
        int below = (int) Math.floor(position);
        int above = Math.min(below + 1, ordered.length - 1);
        return ordered[below] + (position - below) * (ordered[above] - ordered[below]);
    }

    private long[] sorted() {
        long[] known = sorted;
        if (known == null) {
            known = values.clone();
            Arrays.sort(known);
            sorted = known;
        }
        return known;
    }
}
