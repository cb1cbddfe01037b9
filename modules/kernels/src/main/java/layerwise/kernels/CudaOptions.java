package layerwise.kernels;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How an executor runs.
 *
 * @param tuning          whether dense products are tried out when they are prepared
 * @param algorithms      file that keeps what was found, from run to run
 * @param syncEveryLaunch whether each launch is waited for, so that a failure names its operator; nothing is captured then
 * @param carrier         what carries every collective; empty where size and topology choose
 */
public record CudaOptions(
        Tuning tuning, Optional<Path> algorithms, boolean syncEveryLaunch, Optional<Carrier> carrier) {
    /** Options of an executor that chooses what carries each collective. */
    public CudaOptions(Tuning tuning, Optional<Path> algorithms, boolean syncEveryLaunch) {
        this(tuning, algorithms, syncEveryLaunch, Optional.empty());
    }

    /** Whether products are tried out when they are prepared. */
    public enum Tuning {
        /** The library's first suggestion is taken. */
        OFF,
        /** Its first suggestions are timed, on the operands where they lie; outputs are overwritten meanwhile. */
        ON
    }

    /** Nothing is tried, nothing is waited for. */
    public static CudaOptions plain() {
        return new CudaOptions(Tuning.OFF, Optional.empty(), false);
    }

    /** The same with one carrier for every collective, or none in particular. */
    public CudaOptions carriedBy(Optional<Carrier> chosen) {
        return new CudaOptions(tuning, algorithms, syncEveryLaunch, chosen);
    }
}
