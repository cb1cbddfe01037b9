package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SelectionComparisonTest {
    private static final float[] SCORES = {3, 1, 2, 2};

    private static Comparison of(int... chosen) {
        return SelectionComparison.ofRow(4, SCORES, chosen);
    }

    @Test
    void anyOrderAndEitherOfEqualScoresIsRight() {
        assertTrue(of(0, 2).isRight());
        assertTrue(of(3, 0).isRight());
        assertTrue(of(2, 1, 3, 0, -1).isRight());
    }

    @Test
    void whatIsWrongIsSaid() {
        assertEquals("row 4: position 0 has 3.0, more than the least chosen, 2.0", of(2, 3).remark());
        assertEquals("row 4: place 1 holds 0", of(0, 0).remark());
        assertEquals("row 4: place 1 holds -1", of(0, -1).remark());
        assertEquals("row 4: place 0 holds 4", of(4, 0).remark());
        assertEquals("row 4: place 4 holds 2", of(2, 1, 3, 0, 2).remark());
        assertFalse(of(0, 1).isRight());
    }
}
