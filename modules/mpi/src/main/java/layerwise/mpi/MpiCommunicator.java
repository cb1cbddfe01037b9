package layerwise.mpi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.bindings.mpi.mpi_h;
import layerwise.op.Communicator;
import layerwise.op.RankGroup;

/**
 * The processes that one {@code mpirun} or {@code srun} started. Belongs to one thread; only {@link #abort} may be called
 * from another. Errors of MPI itself end the job: that is its default, and nothing here could go on.
 */
public final class MpiCommunicator implements Communicator {
    private final MemorySegment world;
    private final MemorySegment bytes;
    private final RankGroup group;

    private MpiCommunicator(MpiLibrary library) {
        world = library.handle("ompi_mpi_comm_world");
        bytes = library.handle("ompi_mpi_byte");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            check(mpi_h.MPI_Comm_rank(world, number), "MPI_Comm_rank");
            int rank = number.get(JAVA_INT, 0);
            check(mpi_h.MPI_Comm_size(world, number), "MPI_Comm_size");
            group = new RankGroup(rank, number.get(JAVA_INT, 0));
        }
    }

    /**
     * Joins the others; returns once all of them do. Once in a process.
     *
     * @return empty where there is no MPI
     * @throws layerwise.tensor.ConfigException if there is one, but not Open MPI 4 or 5
     */
    public static Optional<MpiCommunicator> join() {
        Optional<MpiLibrary> library = MpiLibrary.load();
        if (library.isEmpty()) {
            return Optional.empty();
        }
        try (Arena arena = Arena.ofConfined()) {
            // Serialised: one thread at a time calls, and another may abort.
            check(
                    mpi_h.MPI_Init_thread(
                            MemorySegment.NULL,
                            MemorySegment.NULL,
                            mpi_h.MPI_THREAD_SERIALIZED(),
                            arena.allocate(JAVA_INT)),
                    "MPI_Init_thread");
        }
        return Optional.of(new MpiCommunicator(library.get()));
    }

    /** @throws MpiException if the status is not success */
    static void check(int status, String call) {
        if (status != mpi_h.MPI_SUCCESS()) {
            throw new MpiException(call, status);
        }
    }

    @Override
    public RankGroup group() {
        return group;
    }

    @Override
    public List<byte[]> allGather(byte[] own) {
        int size = group.size();
        try (Arena arena = Arena.ofConfined()) {
            int[] lengths = new int[size];
            MemorySegment all = arena.allocate(JAVA_INT, size);
            check(
                    mpi_h.MPI_Allgather(
                            arena.allocateFrom(JAVA_INT, own.length),
                            Integer.BYTES,
                            bytes,
                            all,
                            Integer.BYTES,
                            bytes,
                            world),
                    "MPI_Allgather");
            MemorySegment.copy(all, JAVA_INT, 0, lengths, 0, size);
            Layout layout = new Layout(lengths);
            MemorySegment received = layout.allocate(arena);
            check(
                    mpi_h.MPI_Allgatherv(
                            message(arena, own),
                            own.length,
                            bytes,
                            received,
                            layout.lengths(arena),
                            layout.starts(arena),
                            bytes,
                            world),
                    "MPI_Allgatherv");
            return layout.cut(received);
        }
    }

    @Override
    public List<byte[]> exchange(List<byte[]> toEach) {
        int size = group.size();
        if (toEach.size() != size) {
            throw new IllegalArgumentException("%d messages to %d ranks".formatted(toEach.size(), size));
        }
        int[] sent = toEach.stream().mapToInt(message -> message.length).toArray();
        int[] lengths = new int[size];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(JAVA_INT, size);
            check(
                    mpi_h.MPI_Alltoall(
                            arena.allocateFrom(JAVA_INT, sent), Integer.BYTES, bytes, all, Integer.BYTES, bytes, world),
                    "MPI_Alltoall");
            MemorySegment.copy(all, JAVA_INT, 0, lengths, 0, size);
            Layout there = new Layout(sent);
            Layout here = new Layout(lengths);
            MemorySegment sending = there.allocate(arena);
            for (int rank = 0; rank < size; rank++) {
                there.put(sending, rank, toEach.get(rank));
            }
            MemorySegment received = here.allocate(arena);
            check(
                    mpi_h.MPI_Alltoallv(
                            sending,
                            there.lengths(arena),
                            there.starts(arena),
                            bytes,
                            received,
                            here.lengths(arena),
                            here.starts(arena),
                            bytes,
                            world),
                    "MPI_Alltoallv");
            return here.cut(received);
        }
    }

    private static MemorySegment message(Arena arena, byte[] bytes) {
        return bytes.length == 0 ? arena.allocate(1) : arena.allocateFrom(JAVA_BYTE, bytes);
    }

    /** Where messages lie one behind the other; MPI counts in 32 bits. */
    private static final class Layout {
        private final int[] starts;
        private final int[] lengths;
        private final int total;

        Layout(int[] lengths) {
            this.lengths = lengths;
            starts = new int[lengths.length];
            int at = 0;
            for (int i = 0; i < lengths.length; i++) {
                starts[i] = at;
                at = Math.addExact(at, lengths[i]);
            }
            total = at;
        }

        MemorySegment allocate(Arena arena) {
            return arena.allocate(Math.max(1, total));
        }

        MemorySegment starts(Arena arena) {
            return arena.allocateFrom(JAVA_INT, starts);
        }

        MemorySegment lengths(Arena arena) {
            return arena.allocateFrom(JAVA_INT, lengths);
        }

        void put(MemorySegment all, int rank, byte[] message) {
            MemorySegment.copy(message, 0, all, JAVA_BYTE, starts[rank], lengths[rank]);
        }

        List<byte[]> cut(MemorySegment all) {
            List<byte[]> messages = new ArrayList<>();
            for (int i = 0; i < lengths.length; i++) {
                messages.add(all.asSlice(starts[i], lengths[i]).toArray(JAVA_BYTE));
            }
            return messages;
        }
    }

    /** Ends every rank's process with that status, this one too. */
    @Override
    public void abort(int status) {
        check(mpi_h.MPI_Abort(world, status), "MPI_Abort");
    }

    @Override
    public void close() {
        check(mpi_h.MPI_Finalize(), "MPI_Finalize");
    }
}
