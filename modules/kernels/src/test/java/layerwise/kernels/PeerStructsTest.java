package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import layerwise.cuda.PeerAddresses;
import layerwise.op.RankGroup;
import layerwise.op.RankTokens;
import org.junit.jupiter.api.Test;

/** The structs as kernels/common/peer_rows.cuh and kernels/peer_all_gather.cu declare them. */
class PeerStructsTest {
    @Test
    void rowStartsEndWithAllRows() {
        try (Arena arena = Arena.ofConfined()) {
            RankTokens tokens = new RankTokens(new RankGroup(1, 3), List.of(5, 0, 2));
            MemorySegment struct = PeerStructs.rowStarts(tokens, arena);
            assertEquals(65 * 4, struct.byteSize());
            for (int i = 0; i < 4; i++) {
                assertEquals(new int[] {0, 5, 5, 7}[i], struct.getAtIndex(ValueLayout.JAVA_INT, i));
            }
        }
    }

    @Test
    void partsKeepAddressesThenTargetsThenRowBytes() {
        try (Arena arena = Arena.ofConfined()) {
            var first = new PeerStructs.Part(PeerAddresses.apart(1000, 10, 3), 7, 14);
            var second = new PeerStructs.Part(PeerAddresses.apart(2000, 20, 3), 8, 16);
            MemorySegment struct = PeerStructs.gatherParts(List.of(first, second), arena);
            assertEquals(4 * 512 + 4 * 8 + 4 * 8, struct.byteSize());
            assertEquals(1020, struct.get(ValueLayout.JAVA_LONG, 2 * 8));
            assertEquals(0, struct.get(ValueLayout.JAVA_LONG, 3 * 8));
            assertEquals(2020, struct.get(ValueLayout.JAVA_LONG, 512 + 8));
            assertEquals(7, struct.get(ValueLayout.JAVA_LONG, 2048));
            assertEquals(8, struct.get(ValueLayout.JAVA_LONG, 2048 + 8));
            assertEquals(14, struct.get(ValueLayout.JAVA_LONG, 2080));
            assertEquals(16, struct.get(ValueLayout.JAVA_LONG, 2080 + 8));
            assertEquals(0, struct.get(ValueLayout.JAVA_LONG, 2080 + 16));
        }
    }
}
