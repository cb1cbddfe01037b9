package layerwise.bench.config;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Replay of recorded expert selections.
 *
 * @param filePath calibration file; empty for no replay
 * @param startIter first recorded iteration; given together with the last or not at all
 * @param stopIter last recorded iteration, inclusive
 * @param verifyMetadata whether the order of replayed calls is checked against the recording
 */
public record Replay(Optional<String> filePath, OptionalInt startIter, OptionalInt stopIter, boolean verifyMetadata) {}
