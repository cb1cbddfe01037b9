package layerwise.cuda;

import layerwise.tensor.LayerwiseException;

/** A kernel waited for another rank in vain; what it and later kernels computed is worth nothing. */
public final class PeerException extends LayerwiseException {
    private static final long serialVersionUID = 1L;

    private final int peer;

    PeerException(int rank, int ranks, int peer, long meeting, long seconds, Device device) {
        super("rank %d of %d waited %d s in vain for rank %d at meeting %d of their kernels, on %s"
                .formatted(rank, ranks, seconds, peer, meeting, device));
        this.peer = peer;
    }

    /** The rank that did not come. */
    public int peer() {
        return peer;
    }
}
