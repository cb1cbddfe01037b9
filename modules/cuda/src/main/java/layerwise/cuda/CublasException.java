package layerwise.cuda;

import layerwise.bindings.cublasLt.cublasLt_h;

/** A cuBLASLt call failed. */
public final class CublasException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private CublasException(int status, String call, String facts) {
        super(
                call,
                cublasLt_h.cublasLtGetStatusName(status).getString(0),
                status,
                cublasLt_h.cublasLtGetStatusString(status).getString(0),
                facts);
    }

    /** Throws if {@code status} is an error; allocates nothing otherwise. */
    static void check(int status, String call) {
        if (status != 0) {
            throw new CublasException(status, call, "");
        }
    }

    /**
     * Throws if {@code status} is an error; allocates nothing otherwise.
     *
     * @param facts its text ends the message
     */
    static void check(int status, String call, Object facts) {
        if (status != 0) {
            throw new CublasException(status, call, facts.toString());
        }
    }
}
