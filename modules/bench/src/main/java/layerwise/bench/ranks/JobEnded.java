package layerwise.bench.ranks;

import layerwise.tensor.LayerwiseException;

/** The run is over because a rank failed; whoever throws this has said why. */
public final class JobEnded extends LayerwiseException {
    private static final long serialVersionUID = 1;

    private final int status;

    JobEnded(int status, Throwable cause) {
        super("the run ends with status " + status, cause);
        this.status = status;
    }

    /** Exit status of the process. */
    public int status() {
        return status;
    }
}
