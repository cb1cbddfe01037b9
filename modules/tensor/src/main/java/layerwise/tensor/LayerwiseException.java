package layerwise.tensor;

/** The root of every exception that Layerwise throws on purpose; programming errors are the JDK's own. */
public abstract class LayerwiseException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    protected LayerwiseException(String message) {
        super(message);
    }

    protected LayerwiseException(String message, Throwable cause) {
        super(message, cause);
    }
}
