package layerwise.cuda;

import java.lang.foreign.MemorySegment;
import layerwise.bindings.nccl.nccl_h;

/** An NCCL call failed, or what it began failed later, here or on another rank. */
public final class NcclException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private NcclException(int status, String call, String facts) {
        super(call, name(status), status, nccl_h.ncclGetErrorString(status).getString(0), facts);
    }

    /** Throws if {@code status} is an error; allocates nothing otherwise. */
    static void check(int status, String call) {
        if (status != 0) {
            throw new NcclException(status, call, "");
        }
    }

    /** With what the library itself wrote down about its latest failure. */
    static NcclException of(int status, String call, MemorySegment communicator, String facts) {
        String last = nccl_h.ncclGetLastError(communicator).getString(0).strip();
        return new NcclException(status, call, last.isEmpty() ? facts : facts + "; " + last);
    }

    /** Names of {@code ncclResult_t}, nccl.h 2.28; the library has no call for them. */
    private static String name(int status) {
        return switch (status) {
            case 1 -> "ncclUnhandledCudaError";
            case 2 -> "ncclSystemError";
            case 3 -> "ncclInternalError";
            case 4 -> "ncclInvalidArgument";
            case 5 -> "ncclInvalidUsage";
            case 6 -> "ncclRemoteError";
            case 7 -> "ncclInProgress";
            default -> "ncclResult";
        };
    }
}
