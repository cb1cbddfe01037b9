package layerwise.cuda.cupti;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Plays CUPTI's part. */
class ActivityBuffersTest {
    private final Arena arena = Arena.ofShared();
    private final AtomicInteger returns = new AtomicInteger();
    private final ActivityBuffers buffers = new ActivityBuffers(arena, returns::incrementAndGet);

    @AfterEach
    void free() {
        arena.close();
    }

    private record Loan(MemorySegment buffer, long size) {}

    private Loan borrow() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment buffer = call.allocate(ADDRESS);
            MemorySegment size = call.allocate(JAVA_LONG);
            MemorySegment records = call.allocateFrom(JAVA_LONG, -1L);
            buffers.request(buffer, size, records);
            assertEquals(0, records.get(JAVA_LONG, 0), "as many records as fit");
            return new Loan(buffer.get(ADDRESS, 0), size.get(JAVA_LONG, 0));
        }
    }

    private void giveBack(Loan loan, long valid) {
        buffers.complete(MemorySegment.NULL, 0, loan.buffer(), loan.size(), valid);
    }

    private List<Long> drained() {
        List<Long> sizes = new ArrayList<>();
        buffers.drain(part -> sizes.add(part.byteSize()));
        return sizes;
    }

    @Test
    void lendsAlignedBuffersAndHandsOnWhatWasWritten() {
        Loan first = borrow();
        Loan second = borrow();
        assertNotEquals(first.buffer().address(), second.buffer().address());
        assertEquals(0, first.buffer().address() % 8);
        assertEquals(List.of(), drained(), "what CUPTI still has is not read");
        giveBack(second, 216);
        assertEquals(1, returns.get());
        assertEquals(List.of(216L), drained());
        assertEquals(List.of(), drained(), "read once");
    }

    @Test
    void refusesWhenAllAreOutAndRecoversWhenOneIsRead() {
        List<Loan> loans = new ArrayList<>();
        Set<Long> addresses = new HashSet<>();
        Loan loan = borrow();
        while (loan.buffer().address() != 0) {
            loans.add(loan);
            addresses.add(loan.buffer().address());
            loan = borrow();
        }
        assertEquals(loans.size(), addresses.size());
        assertEquals(1, buffers.refusals());
        giveBack(loans.getLast(), 0);
        assertEquals(0, borrow().buffer().address(), "returned but not read yet");
        assertEquals(List.of(0L), drained());
        assertNotEquals(0, borrow().buffer().address());
    }

    @Test
    void freesABufferWhoseReaderFailed() {
        giveBack(borrow(), 40);
        assertThrows(
                IllegalStateException.class,
                () -> buffers.drain(_ -> {
                    throw new IllegalStateException("damaged record");
                }));
        assertEquals(List.of(), drained());
    }

    @Test
    void ignoresTheReturnOfNothing() {
        buffers.complete(MemorySegment.NULL, 0, MemorySegment.NULL, 0, 0);
        assertEquals(0, returns.get());
    }

    @Test
    void buffersOfAnEarlierTracerAreNotItsOwn() {
        giveBack(new Loan(arena.allocate(64, 8), 64), 64);
        giveBack(new Loan(MemorySegment.NULL, 0), 0);
        assertEquals(List.of(), drained());
        assertEquals(0, returns.get());
    }
}
