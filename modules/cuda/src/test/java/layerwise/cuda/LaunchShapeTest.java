package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LaunchShapeTest {
    @Test
    void changesOneThingAtATime() {
        LaunchShape shape = LaunchShape.of(8, 256)
                .grid(8, 4, 2)
                .block(32, 4, 1)
                .shared(1000)
                .cluster(2, 2, 1)
                .asCooperative()
                .asProgrammatic();
        assertEquals(new LaunchShape(8, 4, 2, 32, 4, 1, 1000, 2, 2, 1, true, true), shape);
        assertTrue(shape.hasCluster());
        assertFalse(LaunchShape.of(8, 256).hasCluster());
    }

    @Test
    void rejectsExtentsThatCudaWouldRefuse() {
        assertThrows(IllegalArgumentException.class, () -> LaunchShape.of(0, 256));
        assertThrows(IllegalArgumentException.class, () -> LaunchShape.of(1, 0));
        assertThrows(IllegalArgumentException.class, () -> LaunchShape.of(1, 1).shared(-1));
    }

    @Test
    void rejectsAGridThatIsNoMultipleOfTheCluster() {
        var failure = assertThrows(
                IllegalArgumentException.class, () -> LaunchShape.of(7, 128).cluster(2, 1, 1));
        assertEquals("grid 7 x 1 x 1 is not a multiple of cluster 2 x 1 x 1", failure.getMessage());
    }
}
