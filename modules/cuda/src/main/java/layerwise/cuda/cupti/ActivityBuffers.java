package layerwise.cuda.cupti;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;

/**
 * The memory that CUPTI writes activity records to: a fixed number of equal buffers in one block.
 *
 * <p>CUPTI borrows and returns them in the two upcalls, which are free of locks and allocate nothing; a Java thread takes
 * the returned ones. A buffer's state says whose it is, so no queue is needed. When all are out, CUPTI is told to drop
 * records, and the count of such refusals says so.
 */
final class ActivityBuffers {
    private static final int COUNT = 24;
    private static final long BYTES = 2L << 20;
    private static final long ALIGNMENT = 8; // cupti_activity.h: buffers are aligned to 8 bytes

    private static final int FREE = 0;
    private static final int LENT = 1;
    private static final int RETURNED = 2;

    private final MemorySegment block;
    private final AtomicIntegerArray states = new AtomicIntegerArray(COUNT);
    private final AtomicLongArray validBytes = new AtomicLongArray(COUNT);
    private final AtomicLong refusals = new AtomicLong();
    private final Runnable onReturn;

    /**
     * Reserves the buffers.
     *
     * @param arena    outlives every use by CUPTI
     * @param onReturn called in the upcall that returns a buffer; must neither block nor fail
     */
    ActivityBuffers(Arena arena, Runnable onReturn) {
        this.block = arena.allocate(COUNT * BYTES, ALIGNMENT);
        this.onReturn = onReturn;
    }

    /** The upcall by which CUPTI borrows: {@code (uint8_t **buffer, size_t *size, size_t *maxNumRecords)}. */
    void request(MemorySegment buffer, MemorySegment size, MemorySegment maxRecords) {
        maxRecords.set(ValueLayout.JAVA_LONG, 0, 0); // as many as fit
        for (int i = 0; i < COUNT; i++) {
            if (states.get(i) == FREE && states.compareAndSet(i, FREE, LENT)) {
                buffer.set(ValueLayout.JAVA_LONG, 0, block.address() + i * BYTES);
                size.set(ValueLayout.JAVA_LONG, 0, BYTES);
                return;
            }
        }
        refusals.incrementAndGet();
        buffer.set(ValueLayout.JAVA_LONG, 0, 0);
        size.set(ValueLayout.JAVA_LONG, 0, 0);
    }

    /** The upcall by which CUPTI returns: {@code (context, streamId, uint8_t *buffer, size, validSize)}. */
    void complete(MemorySegment context, int streamId, MemorySegment buffer, long size, long valid) {
        long offset = buffer.address() - block.address();
        if (offset < 0 || offset >= COUNT * BYTES) {
            return; // none, or one that an earlier tracer of this process lent, whose trace is closed
        }
        int i = (int) (offset / BYTES);
        validBytes.set(i, valid);
        states.set(i, RETURNED); // publishes validBytes and what CUPTI wrote
        onReturn.run();
    }

    /** Hands each returned buffer's written part to {@code reader} and frees it; for one thread at a time. */
    void drain(Consumer<MemorySegment> reader) {
        for (int i = 0; i < COUNT; i++) {
            if (states.get(i) == RETURNED) {
                try {
                    reader.accept(block.asSlice(i * BYTES, validBytes.get(i)));
                } finally {
                    states.set(i, FREE);
                }
            }
        }
    }

    /** How often CUPTI asked and all buffers were out. */
    long refusals() {
        return refusals.get();
    }
}
