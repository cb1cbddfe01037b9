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
 * @param linkBytes    bytes over links
 * @param limitNanos   time by the device's nominal rates; NaN where unknown
 * @param ceilingNanos time by the device's measured rates; NaN where unknown
 * @param memoryNanos  the part of the limit that is memory's: of operators that memory bounds
 * @param linkNanos    the part of the limit that is the links'; what is left of it is arithmetic's
 */
public record Cost(
        double flops,
        double bytes,
        double linkBytes,
        double limitNanos,
        double ceilingNanos,
        double memoryNanos,
        double linkNanos) {
    static Cost of(CostRecord record, double share) {
        double limit = record.limitNanos() * share;
        return new Cost(
                record.flops() * share,
                record.bytes() * share,
                record.linkBytes() * share,
                limit,
                record.ceilingNanos() * share,
                record.bound().equals("memory") ? limit : 0,
                record.bound().equals("links") ? limit : record.bound().isEmpty() ? Double.NaN : 0);
    }

    /** The cost of nothing. */
    public static Cost none() {
        return new Cost(0, 0, 0, 0, 0, 0, 0);
    }

    /** The cost of both. */
    public Cost plus(Cost other) {
        return new Cost(
                flops + other.flops,
                bytes + other.bytes,
                linkBytes + other.linkBytes,
                limitNanos + other.limitNanos,
                leastNanos() + other.leastNanos(),
                memoryNanos + other.memoryNanos,
                linkNanos + other.linkNanos);
    }

    /** What most of the limit is: {@code compute}, {@code memory} or {@code links}; empty where that is unknown. */
    public String bound() {
        if (!(limitNanos > 0) || Double.isNaN(linkNanos)) {
            return "";
        }
        double compute = limitNanos - memoryNanos - linkNanos;
        if (linkNanos > Math.max(memoryNanos, compute)) {
            return "links";
        }
        return memoryNanos > compute ? "memory" : "compute";
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

    /** GB/s over links reached in this time. */
    public double linkGigabytes(double nanos) {
        return linkBytes / nanos;
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
