package layerwise.mpi;

import layerwise.tensor.LayerwiseException;

/** A call of MPI that failed. */
public final class MpiException extends LayerwiseException {
    private static final long serialVersionUID = 1;

    MpiException(String call, int status) {
        super("%s: status %d".formatted(call, status));
    }
}
