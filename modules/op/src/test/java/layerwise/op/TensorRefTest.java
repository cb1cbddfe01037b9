package layerwise.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

class TensorRefTest {
    private final TensorRef whole = Buffer.of("x", DType.BF16, 4, 6).whole();

    @Test
    void sliceKeepsStepsAndMovesTheStart() {
        TensorRef columns = whole.slice(1, 2, 5);
        assertEquals(Shape.of(4, 3), columns.shape());
        assertEquals(2, columns.offset());
        assertEquals(6, columns.strides().step(0));
        assertFalse(columns.isContiguous());
        assertEquals(4 * 3 * 2, columns.bytes());
    }

    @Test
    void splitAndJoinAreInverse() {
        TensorRef split = whole.splitLast(2, 3);
        assertEquals(Shape.of(4, 2, 3), split.shape());
        assertEquals(whole, split.joinLast());
        assertThrows(IllegalArgumentException.class, () -> whole.splitLast(4, 2));
    }

    @Test
    void headsOfASliceCannotBeJoined() {
        TensorRef part = whole.splitLast(2, 3).slice(2, 0, 2);
        assertThrows(IllegalArgumentException.class, part::joinLast);
    }

    @Test
    void rejectsViewsBeyondTheirBuffer() {
        assertThrows(IndexOutOfBoundsException.class, () -> whole.slice(1, 4, 7));
        Buffer buffer = whole.buffer();
        assertThrows(IllegalArgumentException.class, () -> new TensorRef(buffer, Shape.of(5, 6), Strides.of(6, 1), 0));
        assertTrue(whole.isContiguous());
    }
}
