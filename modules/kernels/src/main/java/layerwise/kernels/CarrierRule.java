package layerwise.kernels;

import java.util.Optional;
import layerwise.cuda.PeerTopology;

/**
 * Which of two carriers takes a collective: own kernels over memory that peers reach, or NCCL. The same on all ranks.
 *
 * @param ranks    R
 * @param topology how their GPUs reach each other
 * @param nccl     whether NCCL can be had
 * @param only     what takes all of them, where that was asked for
 */
record CarrierRule(int ranks, PeerTopology topology, boolean nccl, Optional<Carrier> only) {
    /** Gathering and scattering moves no more bytes than it must either way; NCCL's copies are the better ones when long. */
    private static final long SPREAD_LIMIT = 16L << 20;

    CarrierRule {
        if (!topology.peerAccess() && !nccl) {
            throw new IllegalArgumentException("nothing carries collectives");
        }
        if (only.isPresent() && !(only.get() == Carrier.NCCL ? nccl : topology.peerAccess())) {
            throw new IllegalArgumentException(only.get() + " cannot carry collectives");
        }
    }

    /** The rule where nothing was asked for. */
    CarrierRule(int ranks, PeerTopology topology, boolean nccl) {
        this(ranks, topology, nccl, Optional.empty());
    }

    /** An all-reduce of so many bytes. */
    Carrier reducing(long bytes) {
        return carrier(bytes <= oneShotLimit());
    }

    /** An all-gather or reduce-scatter of so many bytes, all ranks' together. */
    Carrier spreading(long bytes) {
        return carrier(bytes <= SPREAD_LIMIT);
    }

    /** Tokens to experts and back. */
    Carrier exchanging() {
        return carrier(true);
    }

    private Carrier carrier(boolean direct) {
        if (only.isPresent()) {
            return only.get();
        }
        return !nccl || (topology.peerAccess() && direct) ? Carrier.PEERS : Carrier.NCCL;
    }

    /**
     * Largest all-reduce in one shot, in bytes: everyone reads everything, so with more ranks NCCL's rings win earlier. The
     * limits of vLLM's custom_all_reduce for fully connected GPUs; two ranks read no more than a ring would.
     */
    private long oneShotLimit() {
        if (ranks <= 2) {
            return SPREAD_LIMIT;
        }
        return ranks <= 4 ? 512L << 10 : 256L << 10;
    }

    /** One line for a person. */
    String describe() {
        String who = ranks + (topology.shared() ? " ranks that share a GPU: " : " ranks: ");
        if (only.isPresent()) {
            return who + "all collectives by " + (only.get() == Carrier.NCCL ? "NCCL" : "own kernels over " + memory())
                    + ", as asked for";
        }
        if (!nccl) {
            return who + "all collectives by own kernels over " + memory();
        }
        if (!topology.peerAccess()) {
            return who + "all collectives by NCCL, since not all GPUs reach each other's memory";
        }
        return "%sown kernels over %s; NCCL for all-reduce above %d KiB, all-gather and reduce-scatter above %d KiB"
                .formatted(who, memory(), oneShotLimit() >> 10, SPREAD_LIMIT >> 10);
    }

    private String memory() {
        if (topology.shared()) {
            return "CUDA IPC memory";
        }
        return topology.nvlink() ? "NVLink peer memory" : "PCIe peer memory";
    }
}
