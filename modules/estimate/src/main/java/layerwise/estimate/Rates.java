package layerwise.estimate;

import java.util.Map;
import java.util.Optional;
import layerwise.op.Arithmetic;
import layerwise.op.Work;

/**
 * Rates that bound an operator.
 *
 * @param bytesPerSecond     of the device's memory
 * @param linkBytesPerSecond of its links to others, one direction; NaN where it is not known
 * @param flops              per second, for each kind of arithmetic that is known
 */
public record Rates(double bytesPerSecond, double linkBytesPerSecond, Map<Arithmetic, Double> flops) {
    public Rates {
        flops = Map.copyOf(flops);
    }

    /** The same with links of another rate. */
    public Rates withLinks(double rate) {
        return new Rates(bytesPerSecond, rate, flops);
    }

    /** Nanoseconds of the arithmetic alone; NaN where it has no rate. */
    public double computeNanos(Work work) {
        Double rate = flops.get(work.arithmetic());
        return work.flops() == 0 ? 0 : rate == null ? Double.NaN : 1e9 * work.flops() / rate;
    }

    /** Nanoseconds of the memory traffic alone. */
    public double memoryNanos(Work work) {
        return 1e9 * work.bytes() / bytesPerSecond;
    }

    /** Nanoseconds of the traffic over links alone; NaN where they have no rate. */
    public double linkNanos(Work work) {
        return work.linkBytes() == 0 ? 0 : 1e9 * work.linkBytes() / linkBytesPerSecond;
    }

    /** The least time of a piece of work in nanoseconds; NaN where its arithmetic or its links have no rate. */
    public double nanos(Work work) {
        return Math.max(linkNanos(work), Math.max(computeNanos(work), memoryNanos(work)));
    }

    /** What that time is due to; empty where it is not known. */
    public Optional<Bound> bound(Work work) {
        double least = nanos(work);
        if (Double.isNaN(least)) {
            return Optional.empty();
        }
        if (least == memoryNanos(work)) {
            return Optional.of(Bound.MEMORY);
        }
        return Optional.of(least == computeNanos(work) ? Bound.COMPUTE : Bound.LINKS);
    }
}
