package layerwise.tensor;

/**
 * Input that cannot be used: an option, a file, a checkpoint or the environment.
 *
 * <p>The message is one line for the person who gave the input: it names the place, the value, what was expected and,
 * where there is one, the nearest valid choice. Programs print it without a stack trace and exit with 2. Control
 * characters, which only foreign input can bring in, become spaces, so the line stays one.
 */
public class ConfigException extends LayerwiseException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(oneLine(message));
    }

    public ConfigException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    private static String oneLine(String message) {
        return message.replaceAll("[\\p{Cntrl}\\u0085\\u2028\\u2029]+", " ");
    }
}
