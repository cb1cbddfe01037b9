package layerwise.bench.estimate;

import java.util.function.LongSupplier;

/** A clock that stands still but for a nanosecond a reading, so that no two events are at the same time. */
final class SimulatedTime implements LongSupplier {
    private long nanos;

    /** @param epochNanos where it begins, nanoseconds since 1970 */
    SimulatedTime(long epochNanos) {
        nanos = epochNanos;
    }

    @Override
    public long getAsLong() {
        return ++nanos;
    }

    /** Goes on to that time; a time that has passed changes nothing. */
    void advanceTo(long epochNanos) {
        nanos = Math.max(nanos, epochNanos);
    }
}
