package layerwise.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import layerwise.bindings.cudart.cudart_h;

/**
 * Moves host memory of any kind, mapped files above all, to the device: threads copy it into pinned buffers while the device
 * copies out of others, three buffers a thread: one is filled, one waits, one is copied out of.
 *
 * <p>The threads touch host memory only; every call of CUDA is made by the thread that opened the device.
 */
public final class Staging implements AutoCloseable {
    /** Bytes of a buffer: long enough that a copy over PCI Express takes ten times what its call costs. */
    public static final long CHUNK_BYTES = 4L << 20;

    /** More threads than this do not make it faster: the link is the limit by then. */
    public static final int MOST_THREADS = 8;

    private static final int BUFFERS_OF_THREAD = 3;

    private final CudaStream stream;
    private final PinnedBuffer pinned;
    private final int threadCount;
    private final ExecutorService threads;
    private final Queue<Buffer> free = new ConcurrentLinkedQueue<>();
    private final Deque<Buffer> inFlight = new ArrayDeque<>();
    private final List<Buffer> buffers = new ArrayList<>();

    /**
     * A part of the pinned memory.
     *
     * @param memory  seen by every thread
     * @param copied  passed once the device has copied out of it
     */
    private record Buffer(MemorySegment memory, CudaEvent copied) {}

    /**
     * What one buffer takes at a time.
     *
     * @param from   where its bytes begin in the source
     * @param target their address on the device
     */
    private record Chunk(HostParts source, long from, long bytes, long target) {}

    /** A filled buffer: which chunk it holds. */
    private record Filled(Buffer buffer, Chunk chunk) {}

    private Staging(Device device, CudaStream stream, int threadCount) {
        this.stream = stream;
        this.threadCount = threadCount;
        int count = BUFFERS_OF_THREAD * threadCount;
        pinned = device.allocatePinned(count * CHUNK_BYTES);
        MemorySegment all = unconfined(pinned);
        for (int i = 0; i < count; i++) {
            Buffer buffer = new Buffer(all.asSlice(i * CHUNK_BYTES, CHUNK_BYTES), device.createFence());
            buffers.add(buffer);
            free.add(buffer);
        }
        threads = Executors.newFixedThreadPool(
                threadCount, Thread.ofPlatform().daemon().name("staging-", 0).factory());
    }

    /** Opens pinned buffers and threads that feed a stream; as many threads as there are processors, at most eight. */
    public static Staging open(Device device, CudaStream stream) {
        device.checkThread();
        return new Staging(device, stream, Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MOST_THREADS));
    }

    /** The pinned memory without its owner's confinement: {@link #close} ends the threads before it gives the memory back. */
    @SuppressWarnings("restricted") // the size is the buffer's own
    private static MemorySegment unconfined(PinnedBuffer buffer) {
        return MemorySegment.ofAddress(buffer.memory().address()).reinterpret(buffer.bytes());
    }

    /**
     * A copy to make: parts, one behind the other, to the start of device memory.
     *
     * @param parts native, mapped or heap memory that every thread may read: {@link #canRead}
     */
    public record Upload(List<MemorySegment> parts, DeviceMemory target) {
        /** @throws IndexOutOfBoundsException if the parts are longer than the target */
        public Upload {
            parts = List.copyOf(parts);
            long bytes = parts.stream().mapToLong(MemorySegment::byteSize).sum();
            if (bytes > target.bytes()) {
                throw new IndexOutOfBoundsException("copy of " + bytes + " bytes into " + target.bytes());
            }
        }
    }

    /**
     * Makes copies, one after the other, without a pause between them. Returns once all parts were read; the device may still
     * be copying, in the stream's order.
     */
    public void upload(List<Upload> uploads) {
        List<Chunk> chunks = chunks(uploads);
        Filling filling = new Filling(chunks, free);
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < Math.min(threadCount, chunks.size()); i++) {
            running.add(threads.submit(filling));
        }
        try {
            for (int copied = 0; copied < chunks.size(); copied++) {
                Filled next = await(filling);
                stream.transfer(
                        MemorySegment.ofAddress(next.chunk().target()),
                        next.chunk().bytes(),
                        next.buffer().memory(),
                        next.chunk().bytes(),
                        cudart_h.cudaMemcpyHostToDevice());
                stream.record(next.buffer().copied());
                inFlight.add(next.buffer());
            }
        } catch (RuntimeException | Error e) {
            filling.stop();
            running.forEach(Staging::awaitEnd);
            stream.synchronize();
            inFlight.clear();
            free.clear();
            free.addAll(buffers);
            throw e;
        }
    }

    private static List<Chunk> chunks(List<Upload> uploads) {
        List<Chunk> chunks = new ArrayList<>();
        for (Upload upload : uploads) {
            HostParts source = new HostParts(upload.parts());
            for (long at = 0; at < source.bytes(); at += CHUNK_BYTES) {
                long bytes = Math.min(CHUNK_BYTES, source.bytes() - at);
                chunks.add(new Chunk(source, at, bytes, upload.target().address() + at));
            }
        }
        return chunks;
    }

    /** Whether {@link #upload} takes the parts: its threads can read nothing that an arena confines to another. */
    public static boolean canRead(List<MemorySegment> parts) {
        return new HostParts(parts).isUnconfined();
    }

    private static void awaitEnd(Future<?> thread) {
        try {
            thread.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a thread let an exception out", e);
        }
    }

    /** The next filled buffer; gives back, meanwhile, those that the device is done with. */
    private Filled await(Filling filling) {
        while (true) {
            while (!inFlight.isEmpty() && inFlight.getFirst().copied().isPassed()) {
                free.add(inFlight.removeFirst());
            }
            Filled filled = filling.filled.poll();
            if (filled != null) {
                return filled;
            }
            filling.rethrow();
            Thread.onSpinWait(); // a timed wait oversleeps by as long as a whole chunk takes over the link
        }
    }

    /** What the threads do for one upload: each takes the next chunk and a free buffer, until there is no chunk left. */
    private static final class Filling implements Runnable {
        private final List<Chunk> chunks;
        private final Queue<Buffer> free;
        private final Queue<Filled> filled = new ConcurrentLinkedQueue<>();
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private volatile boolean stopped;

        Filling(List<Chunk> chunks, Queue<Buffer> free) {
            this.chunks = chunks;
            this.free = free;
        }

        void stop() {
            stopped = true;
        }

        void rethrow() {
            switch (failure.get()) {
                case null -> {}
                case Error e -> throw e;
                case RuntimeException e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }

        @Override
        public void run() {
            try {
                for (int i = next.getAndIncrement(); i < chunks.size(); i = next.getAndIncrement()) {
                    Chunk chunk = chunks.get(i);
                    Buffer buffer = free.poll();
                    while (buffer == null && !stopped) {
                        Thread.onSpinWait();
                        buffer = free.poll();
                    }
                    if (buffer == null) {
                        return;
                    }
                    chunk.source().copy(chunk.from(), buffer.memory().asSlice(0, chunk.bytes()));
                    filled.add(new Filled(buffer, chunk));
                }
            } catch (RuntimeException | Error e) {
                // A mapped file that became shorter is an InternalError here; the owner of the device throws it.
                failure.compareAndSet(null, e);
            }
        }
    }

    /** Ends the threads, waits for the device, gives the buffers back. */
    @Override
    public void close() {
        threads.shutdownNow();
        try {
            if (!threads.awaitTermination(1, TimeUnit.MINUTES)) {
                throw new IllegalStateException("threads that copy to the device do not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stream.synchronize();
        buffers.forEach(buffer -> buffer.copied().close());
        pinned.close();
    }
}
