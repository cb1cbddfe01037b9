package layerwise.trace;

/**
 * The least cost of one launched operator, as it travels in a trace beside the operator's kernels.
 *
 * @param operator     name of the operator, for example {@code mla.q_b}
 * @param shape        its shape in words, for example {@code 128x1536x24576}
 * @param format       numeric format whose rate bounds it, for example {@code bf16}
 * @param flops        floating-point operations, at least
 * @param bytes        bytes read and written, at least
 * @param linkBytes    bytes over links to other devices in the busier direction, at least
 * @param bound        what the limit is: {@code compute}, {@code memory} or {@code links}; empty where it is unknown
 * @param limitNanos   time by the nominal rates of the device; NaN where the device has no description
 * @param ceilingNanos time by this device's measured rates; NaN where none were measured
 */
public record CostRecord(
        String operator,
        String shape,
        String format,
        long flops,
        long bytes,
        long linkBytes,
        String bound,
        double limitNanos,
        double ceilingNanos) {
    public CostRecord {
        if (flops < 0 || bytes < 0 || linkBytes < 0) {
            throw new IllegalArgumentException(
                    "cost of " + operator + ": flops=" + flops + ", bytes=" + bytes + ", link bytes=" + linkBytes);
        }
    }
}
