package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeerPlacesTest {
    private record Place(long start, long bytes) {}

    @Test
    void takesTheLowestPlaceThatFits() {
        PeerPlaces places = new PeerPlaces(1024);
        assertEquals(0, places.take(1).orElseThrow());
        assertEquals(256, places.take(257).orElseThrow());
        assertEquals(768, places.take(256).orElseThrow());
        assertEquals(OptionalLong.empty(), places.take(1));
        places.giveBack(0);
        assertEquals(OptionalLong.empty(), places.take(257));
        places.giveBack(256);
        assertEquals(0, places.take(768).orElseThrow());
    }

    @Test
    void refusesToTakeBackWhatItDidNotGive() {
        PeerPlaces places = new PeerPlaces(1024);
        places.take(512);
        assertThrows(IllegalStateException.class, () -> places.giveBack(256));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void placesNeverOverlapAndAllBecomeOneAgain(long seed) {
        Random random = new Random(seed);
        long bytes = 1 << 16;
        PeerPlaces places = new PeerPlaces(bytes);
        PeerPlaces twin = new PeerPlaces(bytes);
        List<Place> taken = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            if (random.nextBoolean() || taken.isEmpty()) {
                long size = random.nextLong(1, 5000);
                OptionalLong start = places.take(size);
                assertEquals(start, twin.take(size));
                if (start.isPresent()) {
                    Place place = new Place(start.getAsLong(), size);
                    assertEquals(0, place.start() % PeerPlaces.ALIGNMENT);
                    assertTrue(place.start() + size <= bytes);
                    for (Place other : taken) {
                        assertFalse(
                                place.start() < other.start() + other.bytes()
                                        && other.start() < place.start() + place.bytes(),
                                place + " and " + other);
                    }
                    taken.add(place);
                }
            } else {
                Place place = taken.remove(random.nextInt(taken.size()));
                places.giveBack(place.start());
                twin.giveBack(place.start());
            }
            assertEquals(places.fingerprint(), twin.fingerprint());
        }
        taken.forEach(place -> places.giveBack(place.start()));
        assertEquals(0, places.take(bytes).orElseThrow());
    }
}
