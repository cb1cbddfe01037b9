package layerwise.report.profile;

import layerwise.trace.CostRecord;

/**
 * Least work behind a row or a module.
 *
 * <p>An operator that was launched as several kernels is divided over them by their mean times, so that each shows the
 * operator's rates and sums over rows are exact.
 *
 * @param flops        floating-point operations
 * @param bytes        bytes read and written
 * @param limitNanos   time by the device's nominal rates; NaN where unknown
 * @param ceilingNanos time by the device's measured rates; NaN where unknown
 */
public record Cost(double flops, double bytes, double limitNanos, double ceilingNanos) {
    static Cost of(CostRecord record, double share) {
        return new Cost(
                record.flops() * share,
                record.bytes() * share,
                record.limitNanos() * share,
                record.ceilingNanos() * share);
    }

    /** The cost of nothing. */
    public static Cost none() {
        return new Cost(0, 0, 0, 0);
    }

    /** The cost of both. */
    public Cost plus(Cost other) {
        return new Cost(
                flops + other.flops,
                bytes + other.bytes,
                limitNanos + other.limitNanos,
                leastNanos() + other.leastNanos());
    }

    /** The ceiling; where no rate was measured the limit, which no measured rate beats. NaN where neither is known. */
    public double leastNanos() {
        return Double.isNaN(ceilingNanos) ? limitNanos : ceilingNanos;
    }

    /** TFLOP/s reached in this time. */
    public double teraflops(double nanos) {
        return flops / nanos / 1e3;
    }

    /** GB/s reached in this time. */
    public double gigabytes(double nanos) {
        return bytes / nanos;
    }

    /** Share of the nominal limit reached in this time, 1 at the limit; NaN where unknown. */
    public double ofLimit(double nanos) {
        return limitNanos / nanos;
    }

    /** Share of the measured ceiling reached in this time, 1 at the ceiling; NaN where unknown. */
    public double ofCeiling(double nanos) {
        return ceilingNanos / nanos;
    }
}
