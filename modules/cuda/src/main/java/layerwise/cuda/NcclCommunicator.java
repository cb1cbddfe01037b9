package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import layerwise.bindings.nccl.ncclConfig_v22800;
import layerwise.bindings.nccl.ncclUniqueId;
import layerwise.bindings.nccl.nccl_h;
import layerwise.tensor.DType;

/**
 * One rank's end of a group of GPUs that NCCL joins.
 *
 * <p>No call waits without limit: the library only begins what it is asked for, and its state is polled. Whatever fails
 * aborts the communicator, so that kernels which wait for other ranks end.
 */
public final class NcclCommunicator extends NativeHandle {
    /** How long the ranks may take to leave together before they are torn apart. */
    private static final Duration PARTING = Duration.ofSeconds(5);

    private static final long POLL_NANOS = 20_000;

    private final Device device;
    private final int rank;
    private final int ranks;
    private final Duration patience;
    private final Ending ending;

    private NcclCommunicator(Device device, MemorySegment raw, int rank, int ranks, Duration patience, Ending ending) {
        super(device.handles(), raw, ending);
        this.device = device;
        this.rank = rank;
        this.ranks = ranks;
        this.patience = patience;
        this.ending = ending;
    }

    /** How the communicator ends: with the others, or alone once something went wrong. */
    private static final class Ending implements Consumer<MemorySegment> {
        private boolean aborted;

        @Override
        public void accept(MemorySegment communicator) {
            if (!aborted) {
                int status = await(communicator, nccl_h.ncclCommFinalize(communicator), PARTING);
                if (status == 0) {
                    NcclException.check(nccl_h.ncclCommDestroy(communicator), "ncclCommDestroy");
                    return;
                }
            }
            NcclException.check(nccl_h.ncclCommAbort(communicator), "ncclCommAbort");
        }
    }

    /**
     * Joins a group; returns when all ranks have.
     *
     * @param id       what {@link Nccl#createId} made on one rank
     * @param patience how long other ranks may take, here and whenever they are waited for
     * @throws NcclException              if they do not come, or two of them share a GPU
     * @throws DeviceUnavailableException if the library cannot be had
     */
    public static NcclCommunicator join(Device device, byte[] id, int rank, int ranks, Duration patience) {
        device.checkThread();
        if (rank < 0 || rank >= ranks) {
            throw new IllegalArgumentException("rank " + rank + " of " + ranks);
        }
        Nccl.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(nccl_h.C_POINTER);
            MemorySegment unique = arena.allocate(ncclUniqueId.layout());
            MemorySegment.copy(id, 0, unique, ValueLayout.JAVA_BYTE, 0, id.length);
            int status = nccl_h.ncclCommInitRankConfig(handle, ranks, unique, rank, config(arena));
            MemorySegment raw = handle.get(ValueLayout.ADDRESS, 0);
            if (raw.address() == 0) {
                throw NcclException.of(status, "ncclCommInitRankConfig", raw, facts(rank, ranks, device));
            }
            var communicator = new NcclCommunicator(device, raw, rank, ranks, patience, new Ending());
            communicator.settle(status, "ncclCommInitRankConfig");
            return communicator;
        }
    }

    /** As {@code NCCL_CONFIG_INITIALIZER} of nccl.h 2.28.9, but for a communicator that does not block. */
    private static MemorySegment config(Arena arena) {
        MemorySegment config = ncclConfig_v22800.allocate(arena);
        int undefined = nccl_h.NCCL_CONFIG_UNDEF_INT();
        ncclConfig_v22800.size(config, ncclConfig_v22800.sizeof());
        ncclConfig_v22800.magic(config, 0xcafebeef);
        ncclConfig_v22800.version(config, nccl_h.NCCL_VERSION_CODE());
        ncclConfig_v22800.blocking(config, 0);
        ncclConfig_v22800.cgaClusterSize(config, undefined);
        ncclConfig_v22800.minCTAs(config, undefined);
        ncclConfig_v22800.maxCTAs(config, undefined);
        ncclConfig_v22800.splitShare(config, undefined);
        ncclConfig_v22800.trafficClass(config, undefined);
        ncclConfig_v22800.collnetEnable(config, undefined);
        ncclConfig_v22800.CTAPolicy(config, undefined);
        ncclConfig_v22800.shrinkShare(config, undefined);
        ncclConfig_v22800.nvlsCTAs(config, undefined);
        ncclConfig_v22800.nChannelsPerNetPeer(config, undefined);
        ncclConfig_v22800.nvlinkCentricSched(config, undefined);
        return config; // the two names stay null
    }

    /** Number of this rank. */
    public int rank() {
        return rank;
    }

    /** Size of the group. */
    public int ranks() {
        return ranks;
    }

    /**
     * Every rank gets the sum of all; the library chooses the order of the additions.
     *
     * @param source    as many bytes on every rank
     * @param target    of the same size; may be the source
     */
    public NcclCall allReduce(DType dtype, DeviceMemory source, DeviceMemory target) {
        requireBytes("target", source.bytes(), target);
        int type = Nccl.summable(dtype);
        long count = elements(dtype, source);
        MemorySegment from = segment(source);
        MemorySegment to = segment(target);
        return call(
                "ncclAllReduce",
                stream -> nccl_h.ncclAllReduce(from, to, count, type, nccl_h.ncclSum(), handle(), stream));
    }

    /**
     * Every rank gets what all have, in the order of ranks.
     *
     * @param source as many bytes on every rank
     * @param target that many for each rank
     */
    public NcclCall allGather(DeviceMemory source, DeviceMemory target) {
        requireBytes("target", source.bytes() * ranks, target);
        MemorySegment from = segment(source);
        MemorySegment to = segment(target);
        long bytes = source.bytes();
        return call(
                "ncclAllGather", stream -> nccl_h.ncclAllGather(from, to, bytes, nccl_h.ncclUint8(), handle(), stream));
    }

    /**
     * Rank r gets the r-th part of the sum of all.
     *
     * @param source as many bytes on every rank
     * @param target a rank's part of them
     */
    public NcclCall reduceScatter(DType dtype, DeviceMemory source, DeviceMemory target) {
        requireBytes("source", target.bytes() * ranks, source);
        int type = Nccl.summable(dtype);
        long count = elements(dtype, target);
        MemorySegment from = segment(source);
        MemorySegment to = segment(target);
        return call(
                "ncclReduceScatter",
                stream -> nccl_h.ncclReduceScatter(from, to, count, type, nccl_h.ncclSum(), handle(), stream));
    }

    /**
     * One rank gets the sum of all; several of these, one for each rank, belong in a {@link #group}.
     *
     * @param source as many bytes on every rank
     * @param target of the same size; looked at on the root only
     */
    public NcclCall reduce(DType dtype, DeviceMemory source, DeviceMemory target, int root) {
        if (root == rank) {
            requireBytes("target", source.bytes(), target);
        }
        int type = Nccl.summable(dtype);
        long count = elements(dtype, source);
        MemorySegment from = segment(source);
        MemorySegment to = segment(target);
        return call(
                "ncclReduce",
                stream -> nccl_h.ncclReduce(from, to, count, type, nccl_h.ncclSum(), root, handle(), stream));
    }

    /** Sends bytes that the peer receives; several of both belong in a {@link #group}. */
    public NcclCall send(DeviceMemory source, int peer) {
        return send(source.address(), source.bytes(), peer);
    }

    /** Sends what lies at a device address. */
    public NcclCall send(long source, long bytes, int peer) {
        MemorySegment from = MemorySegment.ofAddress(source);
        return call("ncclSend", stream -> nccl_h.ncclSend(from, bytes, nccl_h.ncclUint8(), peer, handle(), stream));
    }

    /** Receives as many bytes as the peer sends. */
    public NcclCall receive(DeviceMemory target, int peer) {
        return receive(target.address(), target.bytes(), peer);
    }

    /** Receives to a device address. */
    public NcclCall receive(long target, long bytes, int peer) {
        MemorySegment to = MemorySegment.ofAddress(target);
        return call("ncclRecv", stream -> nccl_h.ncclRecv(to, bytes, nccl_h.ncclUint8(), peer, handle(), stream));
    }

    /** One call for several, whose sends and receives may match in any order. */
    public NcclCall group(List<NcclCall> calls) {
        return NcclCall.group(this, calls);
    }

    /**
     * Waits for a stream that may wait for other ranks.
     *
     * @throws NcclException if one of them fails or nothing ends in time; the communicator is aborted then
     */
    public void synchronize(CudaStream stream) {
        try (CudaEvent end = device.createFence()) {
            stream.record(end);
            long start = System.nanoTime();
            while (!end.isPassed()) {
                int status = state(handle());
                if (status == 0 && System.nanoTime() - start > patience.toNanos()) {
                    status = nccl_h.ncclInProgress();
                }
                if (status != 0) {
                    throw fail(status, "waiting for the stream");
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    /** Ends the group for this rank at once; kernels of it that wait for others end without a result. */
    public void abort() {
        ending.aborted = true;
        close();
    }

    /** Waits until the library has done what it was asked for; throws, and aborts, if it failed. */
    void settle(int status, String call) {
        if (status != 0) {
            int settled = await(handle(), status, patience);
            if (settled != 0) {
                throw fail(settled, call);
            }
        }
    }

    private NcclException fail(int status, String call) {
        String facts = facts(rank, ranks, device);
        NcclException failure = NcclException.of(
                status,
                call,
                handle(),
                status == nccl_h.ncclInProgress() ? facts + "; gave up after " + patience.toSeconds() + " s" : facts);
        try {
            abort();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }

    private static int await(MemorySegment communicator, int status, Duration patience) {
        long start = System.nanoTime();
        int found = status;
        while (found == nccl_h.ncclInProgress() && System.nanoTime() - start < patience.toNanos()) {
            LockSupport.parkNanos(POLL_NANOS);
            found = state(communicator);
        }
        return found;
    }

    private static int state(MemorySegment communicator) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(ValueLayout.JAVA_INT);
            NcclException.check(nccl_h.ncclCommGetAsyncError(communicator, state), "ncclCommGetAsyncError");
            return state.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private NcclCall call(String name, NcclCall.Enqueue enqueue) {
        return new NcclCall(this, name, enqueue);
    }

    private static MemorySegment segment(DeviceMemory memory) {
        return MemorySegment.ofAddress(memory.address());
    }

    private static long elements(DType dtype, DeviceMemory memory) {
        if (memory.bytes() % dtype.bytes(1) != 0) {
            throw new IllegalArgumentException("%d bytes are no whole number of %s".formatted(memory.bytes(), dtype));
        }
        return memory.bytes() / dtype.bytes(1);
    }

    private static void requireBytes(String role, long expected, DeviceMemory memory) {
        if (memory.bytes() != expected) {
            throw new IllegalArgumentException("%s of %d bytes, expected %d".formatted(role, memory.bytes(), expected));
        }
    }

    private static String facts(int rank, int ranks, Device device) {
        return "rank %d of %d on %s".formatted(rank, ranks, device);
    }
}
