package layerwise.cuda;

import layerwise.bindings.nvml.nvml_h;

/** An NVML call failed. */
public final class NvmlException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private NvmlException(int status, String call) {
        super(call, "nvmlReturn_t", status, nvml_h.nvmlErrorString(status).getString(0), "");
    }

    /** Throws if {@code status} is an error; allocates nothing otherwise. */
    public static void check(int status, String call) {
        if (status != nvml_h.NVML_SUCCESS()) {
            throw new NvmlException(status, call);
        }
    }
}
