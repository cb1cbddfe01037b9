package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HostPartsTest {
    private static final int[] SIZES = {0, 1, 7, 0, 0, 64, 3, 1, 0};

    @Test
    void everyRangeOfRaggedPartsIsTheRangeOfTheirConcatenation() {
        Random random = new Random(5);
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        List<MemorySegment> parts = new ArrayList<>();
        for (int size : SIZES) {
            byte[] part = new byte[size];
            random.nextBytes(part);
            whole.writeBytes(part);
            parts.add(MemorySegment.ofArray(part));
        }
        byte[] expected = whole.toByteArray();
        HostParts source = new HostParts(parts);
        assertEquals(expected.length, source.bytes());
        for (int from = 0; from <= expected.length; from++) {
            for (int to = from; to <= expected.length; to++) {
                byte[] target = new byte[to - from];
                source.copy(from, MemorySegment.ofArray(target));
                assertArrayEquals(Arrays.copyOfRange(expected, from, to), target, from + " to " + to);
            }
        }
    }

    @Test
    void rangesBeyondTheEndAreRefused() {
        HostParts source = new HostParts(List.of(MemorySegment.ofArray(new byte[4])));
        MemorySegment target = MemorySegment.ofArray(new byte[2]);
        assertThrows(IndexOutOfBoundsException.class, () -> source.copy(3, target));
        assertThrows(IndexOutOfBoundsException.class, () -> source.copy(-1, target));
        new HostParts(List.of()).copy(0, MemorySegment.ofArray(new byte[0]));
    }

    @Test
    void partsOfAConfinedArenaAreForItsThreadAlone() {
        MemorySegment heap = MemorySegment.ofArray(new byte[4]);
        try (Arena shared = Arena.ofShared();
                Arena confined = Arena.ofConfined()) {
            assertTrue(Staging.canRead(List.of(heap, shared.allocate(4))));
            assertFalse(Staging.canRead(List.of(heap, shared.allocate(4), confined.allocate(4))));
        }
    }
}
