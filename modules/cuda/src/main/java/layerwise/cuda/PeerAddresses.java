package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Where one rank reaches every rank's copy of something, its own included: {@code PeerAddresses} of
 * {@code kernels/common/peers.cuh}.
 */
public final class PeerAddresses {
    /** Ranks that a kernel's arguments have room for. */
    public static final int MOST_RANKS = 64;

    /** Size of the struct. */
    public static final long BYTES = 8L * MOST_RANKS;

    private final long[] addresses;

    PeerAddresses(long... addresses) {
        if (addresses.length > MOST_RANKS) {
            throw new IllegalArgumentException(addresses.length + " ranks, expected at most " + MOST_RANKS);
        }
        this.addresses = addresses;
    }

    /** Places that lie {@code step} bytes apart in this rank's own memory. */
    public static PeerAddresses apart(long first, long step, int ranks) {
        long[] addresses = new long[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            addresses[rank] = first + rank * step;
        }
        return new PeerAddresses(addresses);
    }

    /** The same places further on. */
    public PeerAddresses plus(long bytes) {
        long[] moved = addresses.clone();
        for (int rank = 0; rank < moved.length; rank++) {
            moved[rank] += bytes;
        }
        return new PeerAddresses(moved);
    }

    /** One rank's. */
    public long at(int rank) {
        return addresses[rank];
    }

    /** As a kernel takes it. */
    public MemorySegment struct(Arena arena) {
        MemorySegment struct = arena.allocate(BYTES, Long.BYTES);
        writeTo(struct);
        return struct;
    }

    /** Writes the struct to the start of a segment. */
    public void writeTo(MemorySegment struct) {
        MemorySegment.copy(addresses, 0, struct, ValueLayout.JAVA_LONG, 0, addresses.length);
    }
}
