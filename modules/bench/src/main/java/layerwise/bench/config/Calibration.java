package layerwise.bench.config;

import java.util.Optional;

/**
 * Recording of expert choices.
 *
 * @param mode     what is recorded
 * @param filePath file to write, where choices are
 */
public record Calibration(CalibrationMode mode, Optional<String> filePath) {}
