package layerwise.tensor;

/**
 * Input that cannot be used: an option, a file, a checkpoint or the environment.
 *
 * <p>The message is one line for the person who gave the input: it names the place, the value, what was expected and,
 * where there is one, the nearest valid choice. Programs print it without a stack trace and exit with 2.
 */
public class ConfigException extends LayerwiseException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }

    public ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
