package layerwise.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import layerwise.cuda.PeerAddresses;
import layerwise.op.RankTokens;

/** Structs that kernels/peer_*.cu take by value. */
final class PeerStructs {
    /** Tensors that one all-gather takes: {@code MOST_PARTS} of peer_all_gather.cu. */
    static final int MOST_PARTS = 4;

    private PeerStructs() {}

    /** {@code RowStarts} of common/peer_rows.cuh. */
    static MemorySegment rowStarts(RankTokens tokens, Arena arena) {
        MemorySegment struct = arena.allocate((PeerAddresses.MOST_RANKS + 1) * 4L, 4);
        for (int rank = 0; rank <= tokens.group().size(); rank++) {
            struct.setAtIndex(ValueLayout.JAVA_INT, rank, tokens.first(rank));
        }
        return struct;
    }

    /**
     * One tensor of an all-gather.
     *
     * @param x        where each rank's rows are reached
     * @param y        where they go
     * @param rowBytes bytes of a row
     */
    record Part(PeerAddresses x, long y, long rowBytes) {}

    /** {@code GatherParts} of peer_all_gather.cu. */
    static MemorySegment gatherParts(List<Part> parts, Arena arena) {
        long targets = MOST_PARTS * PeerAddresses.BYTES;
        MemorySegment struct = arena.allocate(targets + MOST_PARTS * 2L * Long.BYTES, Long.BYTES);
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            part.x().writeTo(struct.asSlice(i * PeerAddresses.BYTES));
            struct.set(ValueLayout.JAVA_LONG, targets + 8L * i, part.y());
            struct.set(ValueLayout.JAVA_LONG, targets + 8L * (MOST_PARTS + i), part.rowBytes());
        }
        return struct;
    }
}
