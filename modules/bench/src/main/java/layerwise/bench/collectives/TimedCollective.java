package layerwise.bench.collectives;

import layerwise.bench.config.Statistics;

/**
 * A collective, how it ran, and how long it took.
 *
 * @param carrier   that was chosen
 * @param algorithm that ran: the kernel, or the library and its version
 * @param calls     of a sample
 * @param times     of the slowest rank
 * @param linkRate  bytes per second of a GPU's links, one way; NaN where the device has no description
 */
record TimedCollective(
        CollectiveShape shape,
        String carrier,
        String algorithm,
        CallMode mode,
        int calls,
        CollectiveTimer.Times times,
        double linkRate) {
    Statistics statistics() {
        return Statistics.of(
                times.micros().stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** Bytes over the median, 10⁹ per second. */
    double algorithmBandwidth() {
        return shape.bytes().bytes() / statistics().median() / 1e3;
    }

    /** What a rank's links carry at least over the median, 10⁹ per second. */
    double busBandwidth() {
        return algorithmBandwidth() * shape.collective().busShare(shape.group().size());
    }

    /** The bus bandwidth's share of the links' rate; NaN where that is not known. */
    double linkShare() {
        return busBandwidth() * 1e9 / linkRate;
    }
}
