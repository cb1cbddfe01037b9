package layerwise.bench.config;

/** What a run does about expert choices beside measuring; replaying has options of its own. */
public enum CalibrationMode {
    /** Nothing. */
    NONE,
    /** Marks each layer in the trace. */
    MARK,
    /** Marks, and records the experts that tokens go to. */
    COLLECT
}
