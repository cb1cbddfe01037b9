package layerwise.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ShapeTest {
    @Test
    void countsElementsAndStrides() {
        Shape shape = Shape.of(2, 3, 4);
        assertEquals(24, shape.elements());
        assertArrayEquals(new long[] {12, 4, 1}, shape.rowMajorStrides());
        assertEquals(4, shape.dim(-1));
        assertEquals("[2,3,4]", shape.toString());
    }

    @Test
    void scalarHasOneElement() {
        assertEquals(1, Shape.of().elements());
    }

    @Test
    void rejectsNegativeExtent() {
        assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
    }

    @Test
    void refusesToOverflow() {
        assertThrows(
                ArithmeticException.class, () -> Shape.of(1L << 40, 1L << 40).elements());
    }

    @Test
    void runsInsideTheNamedModule() {
        assertEquals("layerwise.tensor", Shape.class.getModule().getName());
        assertEquals("org.junit.jupiter.api", Test.class.getModule().getName());
    }
}
