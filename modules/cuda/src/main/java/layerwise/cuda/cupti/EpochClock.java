package layerwise.cuda.cupti;

import java.time.Instant;

/**
 * The clock of CUPTI's time stamps: nanoseconds of the system's real-time clock since 1970 (cuptiGetTimestamp on Linux),
 * read without a native call of ours.
 */
final class EpochClock {
    private EpochClock() {}

    static long nanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
}
