package layerwise.cuda;

import java.util.Locale;
import layerwise.tensor.ConfigException;

/** The problem does not fit: says what was asked and what was free. Nothing was allocated. */
public final class DeviceMemoryException extends ConfigException {
    private static final long serialVersionUID = 1L;

    private final long askedBytes;
    private final long freeBytes;

    DeviceMemoryException(String call, String error, long askedBytes, long freeBytes, int ordinal) {
        super("%s: %s; asked %s, free %s on device %s"
                .formatted(call, error, gigabytes(askedBytes), gigabytes(freeBytes), ordinal));
        this.askedBytes = askedBytes;
        this.freeBytes = freeBytes;
    }

    /** Bytes of the allocation that failed. */
    public long askedBytes() {
        return askedBytes;
    }

    /** Bytes that were free on the device just after it failed. */
    public long freeBytes() {
        return freeBytes;
    }

    static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, bytes < 100_000_000 ? "%.6f GB" : "%.1f GB", bytes / 1e9);
    }
}
