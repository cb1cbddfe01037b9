package layerwise.report.profile;

/**
 * An interval of a trace.
 *
 * @param start nanoseconds since the session's start
 * @param end   nanoseconds since the session's start
 */
public record Window(long start, long end) {}
