package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.TreeSet;
import layerwise.op.RowsInUse;
import layerwise.reference.Sample;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static final int ROWS = 30;
    private static final int WIDTH = 8;
    private static final Tolerance TOLERANCE = new Tolerance(0.01, 0.01);
    private static final Sample PART = Sample.of(ROWS, new TreeSet<>(), 10, 4, 5);

    private static float[] ones() {
        float[] values = new float[ROWS * WIDTH];
        Arrays.fill(values, 1);
        return values;
    }

    /** What the reference leaves of ones where it computes a part. */
    private static float[] onesOf(Sample sample) {
        float[] values = new float[ROWS * WIDTH];
        Arrays.fill(values, Float.NaN);
        for (int row = 0; row < ROWS; row++) {
            for (Sample.Run run : sample.runs(row, WIDTH)) {
                Arrays.fill(values, row * WIDTH + run.from(), row * WIDTH + run.to(), 1);
            }
        }
        return values;
    }

    private static Comparison compare(float[] actual, float[] expected, Sample sample, long written) {
        try (Arena arena = Arena.ofShared()) {
            return Comparison.of(
                    HostTensor.copyOf(arena, DType.F32, Shape.of(ROWS, WIDTH), actual),
                    HostTensor.copyOf(arena, DType.F32, Shape.of(ROWS, WIDTH), expected),
                    TOLERANCE,
                    sample,
                    new RowsInUse(0, written));
        }
    }

    @Test
    void equalOutputsAreRight() {
        Comparison whole = compare(ones(), ones(), Sample.all(ROWS), ROWS);
        assertTrue(whole.isRight());
        assertEquals(ROWS * WIDTH, whole.compared());
        Comparison part = compare(ones(), onesOf(PART), PART, ROWS);
        assertTrue(part.isRight(), part.remark());
        assertTrue(part.compared() >= 2 * WIDTH && part.compared() < ROWS * WIDTH, "" + part.compared());
    }

    @Test
    void oneElementBeyondItsBoundIsNamed() {
        float[] values = ones();
        values[17 * WIDTH + 3] = 1.05f;
        Comparison comparison = compare(values, ones(), Sample.all(ROWS), ROWS);
        assertEquals(1, comparison.wrong());
        assertTrue(comparison.remark().startsWith("[17,3]: 1.05, expected 1.0"), comparison.remark());
    }

    @Test
    void anElementThatWasNotWrittenShowsEverywhere() {
        for (int i = 0; i < ROWS * WIDTH; i++) {
            float[] values = ones();
            values[i] = Float.NaN;
            Comparison comparison = compare(values, onesOf(PART), PART, ROWS);
            assertEquals(1, comparison.wrong(), "element " + i);
        }
    }

    @Test
    void rowsThatAreNotInUseMayKeepThePoison() {
        float[] values = ones();
        Arrays.fill(values, 20 * WIDTH, ROWS * WIDTH, Float.NaN);
        float[] expected = onesOf(PART);
        Arrays.fill(expected, 20 * WIDTH, ROWS * WIDTH, Float.NaN);
        assertTrue(compare(values, expected, PART, 20).isRight());
        assertFalse(compare(values, expected, PART, 21).isRight());
    }

    @Test
    void anUnwrittenRowOfTheReferenceIsNotTakenForARight() {
        float[] expected = ones();
        expected[4] = Float.NaN;
        assertFalse(compare(ones(), expected, Sample.all(ROWS), ROWS).isRight());
    }

    @Test
    void aSumThatCancelsIsMeasuredByItsColumnWhereItIsAlone() {
        float[] expected = {1, 1e-6f, -1};
        assertTrue(compareColumn(new float[] {1, 2e-6f, -1}, expected).isRight());
        assertEquals(1, compareColumn(new float[] {1, 0.02f, -1}, expected).wrong());
    }

    private static Comparison compareColumn(float[] actual, float[] expected) {
        try (Arena arena = Arena.ofShared()) {
            return Comparison.of(
                    HostTensor.copyOf(arena, DType.F32, Shape.of(expected.length, 1), actual),
                    HostTensor.copyOf(arena, DType.F32, Shape.of(expected.length, 1), expected),
                    TOLERANCE,
                    Sample.all(expected.length),
                    new RowsInUse(0, expected.length));
        }
    }
}
