package layerwise.cuda;

import layerwise.bindings.cudart.cudart_h;

/** A CUDA runtime call failed. Errors of kernels arrive late, at the next call that synchronises. */
public final class CudaException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private CudaException(int status, String call, String facts) {
        super(call, name(status), status, text(status), facts);
    }

    /** Throws if {@code status} is an error; allocates nothing otherwise. */
    static void check(int status, String call) {
        if (status != 0) {
            throw of(status, call, "");
        }
    }

    /**
     * Throws if {@code status} is an error; allocates nothing otherwise.
     *
     * @param facts its text ends the message
     */
    static void check(int status, String call, Object facts) {
        if (status != 0) {
            throw of(status, call, facts.toString());
        }
    }

    static CudaException of(int status, String call, String facts) {
        return new CudaException(status, call, facts);
    }

    /** As in {@code cudaErrorNoDevice (100): no CUDA-capable device is detected}. */
    static String describe(int status) {
        return describe(name(status), status, text(status));
    }

    private static String name(int status) {
        return cudart_h.cudaGetErrorName(status).getString(0);
    }

    private static String text(int status) {
        return cudart_h.cudaGetErrorString(status).getString(0);
    }
}
