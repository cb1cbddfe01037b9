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
    void headsOfTokensJoinAsRowsAlsoWhereRowsHaveGaps() {
        TensorRef heads = Buffer.of("q", DType.BF16, 5, 4, 6).whole().slice(2, 1, 3);
        TensorRef rows = heads.joinFirst();
        assertEquals(Shape.of(20, 2), rows.shape());
        assertEquals(6, rows.strides().step(0));
        assertEquals(heads.offset(), rows.offset());
        TensorRef single = heads.slice(1, 2, 3).joinFirst();
        assertEquals(Shape.of(5, 2), single.shape());
        assertEquals(24, single.strides().step(0));
        assertThrows(IllegalArgumentException.class, () -> heads.slice(1, 0, 2).joinFirst());
    }

    @Test
    void rejectsViewsBeyondTheirBuffer() {
        assertThrows(IndexOutOfBoundsException.class, () -> whole.slice(1, 4, 7));
        Buffer buffer = whole.buffer();
        assertThrows(IllegalArgumentException.class, () -> new TensorRef(buffer, Shape.of(5, 6), Strides.of(6, 1), 0));
        assertTrue(whole.isContiguous());
    }
}
