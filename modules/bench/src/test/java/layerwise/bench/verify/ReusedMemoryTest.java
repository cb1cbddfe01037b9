package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReusedMemoryTest {
    private static final long BLOCK = 1L << 26;

    @Test
    void givesOutAlignedSegmentsThatDoNotOverlap() {
        try (ReusedMemory memory = new ReusedMemory()) {
            for (int round = 0; round < 2; round++) {
                memory.reuse();
                List<MemorySegment> given = new ArrayList<>();
                for (long bytes : new long[] {1, 100, BLOCK - 500, 300, 3 * BLOCK, 7}) {
                    MemorySegment segment = memory.allocate(bytes, 256);
                    assertEquals(bytes, segment.byteSize());
                    assertEquals(0, segment.address() % 256);
                    for (MemorySegment other : given) {
                        assertTrue(segment.asOverlappingSlice(other).isEmpty());
                    }
                    given.add(segment);
                }
            }
        }
    }

    @Test
    void givesOutTheSameMemoryAgain() {
        try (ReusedMemory memory = new ReusedMemory()) {
            long first = memory.allocate(1000, 256).address();
            long second = memory.allocate(BLOCK, 256).address();
            memory.reuse();
            assertEquals(first, memory.allocate(1000, 256).address());
            assertEquals(second, memory.allocate(BLOCK, 256).address());
        }
    }
}
