package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.cuda.PeerAddresses;
import layerwise.cuda.PeerGroup;
import layerwise.op.AllToAllCombine;

/** Launches of kernels/peer_combine_fp8.cu: experts' results that travel as E4M3 with a scale for each run. */
record Fp8Wire(Preparation to, AllToAllCombine op) {
    Fp8Wire {
        Preparation.requireBf16(op, op.x(), op.y());
    }

    /** Bytes of the codes of so many rows. */
    long codeBytes(long rows) {
        return rows * op.x().dim(1);
    }

    /** Bytes of the scales of so many rows. */
    long scaleBytes(long rows) {
        return 4 * rows * Math.ceilDiv(op.x().dim(1), (long) AllToAllCombine.FP8_RUN);
    }

    /** Packs all rows, also those that nobody reads: which they are, the other ranks know. */
    Launchable pack(long codes, long scales) {
        int rows = op.tokens().total();
        if (rows == 0) {
            return Launchable.NOTHING;
        }
        return to.call("peer_combine_fp8", "peer_combine_fp8_pack_bf16", LaunchShape.of(rows, 512))
                .pointer(codes)
                .pointer(scales)
                .pointer(to.address(op.x()))
                .wide(op.x().dim(1));
    }

    Launchable sum(PeerGroup group, PeerAddresses codes, PeerAddresses scales) {
        return to.call("peer_combine_fp8", "peer_combine_fp8_bf16", PeerExchanges.shape(op.tokens(), op.x()))
                .struct(group.struct(to.arena()))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .struct(codes.struct(to.arena()))
                .struct(scales.struct(to.arena()))
                .pointer(to.address(op.ids()))
                .wide(op.tokens().own())
                .wide(op.x().dim(1))
                .wide(op.tokens().first())
                .size(op.ids().dim(1))
                .number(op.expertsPerRank())
                .number(op.tokens().group().rank());
    }
}
