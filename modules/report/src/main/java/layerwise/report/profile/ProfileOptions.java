package layerwise.report.profile;

import java.util.Optional;
import java.util.OptionalInt;
import layerwise.trace.TraceException;

/**
 * How to evaluate a trace.
 *
 * @param warmup  runs to drop; empty takes the recorded number
 * @param module  keep only activities inside a range of exactly this name
 * @param lenient group by name where runs differ, and accept traces without markers
 */
public record ProfileOptions(OptionalInt warmup, Optional<String> module, boolean lenient) {
    /** @throws TraceException if the runs to drop are fewer than none */
    public ProfileOptions {
        warmup.ifPresent(runs -> {
            if (runs < 0) {
                throw new TraceException("--warmup-times " + runs + ": expected a number of runs, 0 or more");
            }
        });
    }

    public static final ProfileOptions DEFAULT = new ProfileOptions(OptionalInt.empty(), Optional.empty(), false);
}
