package layerwise.cuda;

import layerwise.tensor.ConfigException;

/**
 * The environment has no usable device: a library, the driver or the GPU is missing, or the GPU is not one that this
 * build supports. One line for the person who started the program.
 */
public final class DeviceUnavailableException extends ConfigException {
    private static final long serialVersionUID = 1L;

    public DeviceUnavailableException(String message) {
        super(message);
    }

    public DeviceUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
