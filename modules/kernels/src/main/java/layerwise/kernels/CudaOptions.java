package layerwise.kernels;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How an executor runs.
 *
 * @param tuning          whether dense products are tried out when they are prepared
 * @param algorithms      file that keeps what was found, from run to run
 * @param syncEveryLaunch whether each launch is waited for, so that a failure names its operator; nothing is captured then
 */
public record CudaOptions(Tuning tuning, Optional<Path> algorithms, boolean syncEveryLaunch) {
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
}
