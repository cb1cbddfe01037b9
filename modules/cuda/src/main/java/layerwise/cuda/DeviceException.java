package layerwise.cuda;

import layerwise.tensor.LayerwiseException;

/**
 * A call into a CUDA library failed: the message names the call, the error, its number, the library's text and the facts
 * of the call. Ours to answer for; what the environment lacks is a {@link DeviceUnavailableException}.
 */
public abstract sealed class DeviceException extends LayerwiseException
        permits CublasException, CudaException, CuptiException, NcclException, NvmlException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int status;

    DeviceException(String call, String name, int status, String text, String facts) {
        super(call + ": " + describe(name, status, text) + (facts.isEmpty() ? "" : "; " + facts));
        this.call = call;
        this.status = status;
    }

    /** The C function that failed. */
    public String call() {
        return call;
    }

    /** What it returned. */
    public int status() {
        return status;
    }

    /** As in {@code cudaErrorMemoryAllocation (2): out of memory}. */
    static String describe(String name, int status, String text) {
        return name + " (" + status + ")" + (text.isEmpty() || text.equals(name) ? "" : ": " + text);
    }
}
