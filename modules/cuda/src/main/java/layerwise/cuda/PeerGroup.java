package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One rank's end of a group whose kernels read and write each other's memory.
 *
 * <p>Holds what {@code kernels/common/peers.cuh} needs to make kernels meet, and lends memory that all ranks reach. All
 * ranks make the same calls in the same order. Everything belongs to the device and ends with it; {@link #leave} first
 * where other ranks live on.
 */
public final class PeerGroup {
    /** Size of {@code PeerGroup} of peers.cuh: mailboxes, failure word, patience, rank, ranks. */
    static final long STRUCT_BYTES = PeerAddresses.BYTES + 2L * Long.BYTES + 2L * Integer.BYTES;

    /** Size of {@code Mailbox} of peers.cuh: 64 words, then a flag for each of 48 blocks and 64 ranks. */
    private static final long MAILBOX_BYTES = 256 + 48L * PeerAddresses.MOST_RANKS * Integer.BYTES;

    /** Memory is asked of the driver in parts of at least this size, since every rank has to open each of them. */
    private static final long LEAST_BYTES = 64L << 20;

    /** Memory that all ranks reach, in use or free. */
    private record Block(PeerBuffer buffer, PeerPlaces places) {}

    private final Device device;
    private final int rank;
    private final int ranks;
    private final Duration patience;
    private final PeerExchange exchange;
    private final PeerBuffer mailbox;
    private final PinnedBuffer failure;
    private final List<Block> blocks = new ArrayList<>();

    private PeerGroup(
            Device device,
            int rank,
            int ranks,
            Duration patience,
            PeerExchange exchange,
            PeerBuffer mailbox,
            PinnedBuffer failure) {
        this.device = device;
        this.rank = rank;
        this.ranks = ranks;
        this.patience = patience;
        this.exchange = exchange;
        this.mailbox = mailbox;
        this.failure = failure;
    }

    /**
     * Joins a group; returns when all ranks have.
     *
     * @param patience how long a kernel waits for another rank's
     * @throws CudaException if the driver cannot share memory with another rank's process
     */
    public static PeerGroup join(Device device, int rank, int ranks, Duration patience, PeerExchange exchange) {
        device.checkThread();
        if (rank < 0 || rank >= ranks || ranks > PeerAddresses.MOST_RANKS) {
            throw new IllegalArgumentException(
                    "rank %d of %d, expected at most %d ranks".formatted(rank, ranks, PeerAddresses.MOST_RANKS));
        }
        PeerBuffer mailbox = PeerBuffer.allocate(device, MAILBOX_BYTES, rank, exchange);
        PinnedBuffer failure = device.allocatePinned(Long.BYTES);
        failure.memory().set(ValueLayout.JAVA_LONG, 0, 0);
        CudaStream stream = device.createStream();
        stream.fill(mailbox.own(), (byte) 0);
        stream.synchronize();
        stream.close();
        exchange.allGather(new byte[0]); // nobody raises a flag in a mailbox that is not cleared yet
        return new PeerGroup(device, rank, ranks, patience, exchange, mailbox, failure);
    }

    /** Number of this rank. */
    public int rank() {
        return rank;
    }

    /** Size of the group. */
    public int ranks() {
        return ranks;
    }

    /** The group as a kernel takes it, by value. */
    public MemorySegment struct(Arena arena) {
        MemorySegment struct = arena.allocate(STRUCT_BYTES, Long.BYTES);
        mailbox.addresses().writeTo(struct);
        long at = PeerAddresses.BYTES;
        struct.set(ValueLayout.JAVA_LONG, at, failure.memory().address());
        struct.set(ValueLayout.JAVA_LONG, at + 8, patience.toNanos());
        struct.set(ValueLayout.JAVA_INT, at + 16, rank);
        struct.set(ValueLayout.JAVA_INT, at + 20, ranks);
        return struct;
    }

    /**
     * Memory that all ranks reach, at least as large as the largest that a rank asks for; not initialised.
     *
     * @throws IllegalStateException if ranks have not asked for and given back the same until now
     */
    public SharedMemory allocate(long bytes) {
        device.checkThread();
        long largest = agree(bytes);
        for (Block block : blocks) {
            var place = block.places().take(largest);
            if (place.isPresent()) {
                return new SharedMemory(block.buffer(), block.places(), place.getAsLong(), bytes);
            }
        }
        long size = Math.max(LEAST_BYTES, largest + PeerPlaces.ALIGNMENT);
        var block = new Block(PeerBuffer.allocate(device, size, rank, exchange), new PeerPlaces(size));
        blocks.add(block);
        return new SharedMemory(
                block.buffer(), block.places(), block.places().take(largest).orElseThrow(), bytes);
    }

    private long agree(long bytes) {
        int used = 0;
        for (Block block : blocks) {
            used = 31 * used + block.places().fingerprint();
        }
        byte[] own = ByteBuffer.allocate(Long.BYTES + Integer.BYTES)
                .putLong(bytes)
                .putInt(used)
                .array();
        long largest = 0;
        List<byte[]> messages = exchange.allGather(own);
        for (int peer = 0; peer < messages.size(); peer++) {
            ByteBuffer message = ByteBuffer.wrap(messages.get(peer));
            largest = Math.max(largest, message.getLong());
            if (message.getInt() != used) {
                throw new IllegalStateException(
                        "ranks %d and %d share memory differently: they prepared different programs"
                                .formatted(rank, peer));
            }
        }
        return largest;
    }

    /**
     * Throws if a kernel waited for a rank in vain; to be asked after a synchronise.
     *
     * @throws PeerException then
     */
    public void check() {
        long word = failure.memory().get(ValueLayout.JAVA_LONG, 0);
        if (word != 0) {
            throw new PeerException(
                    rank, ranks, (int) (word & 0xFFFF_FFFFL) - 1, word >>> 32, patience.toSeconds(), device);
        }
    }

    /** Waits for all ranks, and lets go of what they own before they give it back. Nothing is launched afterwards. */
    public void leave() {
        device.synchronize();
        exchange.allGather(new byte[0]);
        blocks.forEach(block -> block.buffer().leave());
        mailbox.leave();
        exchange.allGather(new byte[0]);
    }
}
