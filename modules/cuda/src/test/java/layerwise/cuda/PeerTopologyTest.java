package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.UUID;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;

class PeerTopologyTest {
    private static final GpuPlace FIRST = new GpuPlace("host-a", new UUID(1, 2), "device 0 (NVIDIA H200)");
    private static final GpuPlace SECOND = new GpuPlace("host-a", new UUID(1, 3), "device 1 (NVIDIA H200)");
    private static final GpuPlace ELSEWHERE = new GpuPlace("host-b", new UUID(1, 2), "device 0 (NVIDIA H200)");

    @Test
    void refusesRanksThatShareAGpuUnlessTheyMay() {
        List<GpuPlace> places = List.of(FIRST, SECOND, FIRST);
        var failure = assertThrows(ConfigException.class, () -> PeerTopology.shared(places, false));
        assertEquals(
                "ranks 0 and 2 share device 0 (NVIDIA H200): expected a GPU for each rank, or --share-gpu, which tests"
                        + " correctness and shows no times",
                failure.getMessage());
        assertTrue(PeerTopology.shared(places, true));
    }

    @Test
    void knowsGpusByMachineAndUuid() {
        assertFalse(PeerTopology.shared(List.of(FIRST, SECOND, ELSEWHERE), false));
        assertFalse(PeerTopology.shared(List.of(FIRST, SECOND), true));
    }

    @Test
    void placesSurviveTheWayToOtherRanks() {
        GpuPlace place = new GpuPlace("höst", new UUID(-1, Long.MIN_VALUE), "");
        assertEquals(place, GpuPlace.read(place.message()));
    }
}
