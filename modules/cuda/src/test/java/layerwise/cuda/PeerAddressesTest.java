package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class PeerAddressesTest {
    @Test
    void structHoldsAnAddressForEachOf64Ranks() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct =
                    PeerAddresses.apart(1 << 20, 4096, 3).plus(16).struct(arena);
            assertEquals(64 * 8, struct.byteSize());
            assertEquals((1 << 20) + 16, struct.getAtIndex(ValueLayout.JAVA_LONG, 0));
            assertEquals((1 << 20) + 2 * 4096 + 16, struct.getAtIndex(ValueLayout.JAVA_LONG, 2));
            assertEquals(0, struct.getAtIndex(ValueLayout.JAVA_LONG, 3));
        }
    }

    @Test
    void movingAddressesLeavesTheOthersAlone() {
        PeerAddresses addresses = new PeerAddresses(10, 20);
        assertEquals(25, addresses.plus(5).at(1));
        assertEquals(20, addresses.at(1));
    }

    @Test
    void refusesMoreRanksThanArgumentsHold() {
        assertThrows(IllegalArgumentException.class, () -> new PeerAddresses(new long[65]));
    }
}
