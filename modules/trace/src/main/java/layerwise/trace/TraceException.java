package layerwise.trace;

/**
 * A trace that cannot be read or written, or that does not hold what was asked of it.
 *
 * <p>The message is one line: the file, what is wrong with it and, where there is one, the way out. Programs print it
 * without a stack trace and exit with 2.
 */
public class TraceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TraceException(String message) {
        super(oneLine(message));
    }

    public TraceException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /** Texts of a damaged file end up in messages: keep them to one line. */
    private static String oneLine(String message) {
        return message.replaceAll("\\p{Cntrl}+", " ").strip();
    }
}
