package layerwise.report.profile;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * How to evaluate a trace.
 *
 * @param warmup  runs to drop; empty takes the recorded number
 * @param module  keep only activities inside a range of exactly this name
 * @param lenient group by name where runs differ, and accept traces without markers
 */
public record ProfileOptions(OptionalInt warmup, Optional<String> module, boolean lenient) {
    public static final ProfileOptions DEFAULT = new ProfileOptions(OptionalInt.empty(), Optional.empty(), false);
}
