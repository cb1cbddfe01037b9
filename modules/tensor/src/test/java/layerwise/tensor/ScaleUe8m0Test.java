package layerwise.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ScaleUe8m0Test {
    private static final long SEED = 20_260_103;
    private static final byte NAN = (byte) 0xFF;

    @Test
    void everyCodeIsItsPowerOfTwoAndComesBack() {
        for (int code = 0; code < 255; code++) {
            float decoded = ScaleUe8m0.decode((byte) code);
            assertEquals(Math.pow(2, code - 127), decoded, "code " + code);
            assertEquals((byte) code, ScaleUe8m0.encode(decoded), "code " + code);
        }
        assertTrue(Float.isNaN(ScaleUe8m0.decode(NAN)));
        assertEquals(NAN, ScaleUe8m0.encode(Float.NaN));
    }

    @Test
    void roundsUpToTheNextPower() {
        for (int code = 0; code < 254; code++) {
            float power = ScaleUe8m0.decode((byte) code);
            assertEquals((byte) (code + 1), ScaleUe8m0.encode(Math.nextUp(power)), "just above code " + code);
            assertEquals((byte) (code + 1), ScaleUe8m0.encode(power * 2), "twice code " + code);
        }
    }

    @Test
    void scaleIsNeverBelowItsValueAndLessThanTwiceIt() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < 100_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt(0x0080_0000, 0x7F00_0001));
            float scale = ScaleUe8m0.decode(ScaleUe8m0.encode(value));
            assertTrue(scale >= value && scale / 2 < value, () -> value + " became " + scale);
        }
    }

    @Test
    void endsOfTheRangeSaturateAndNegativeValuesHaveNoScale() {
        assertEquals(0, ScaleUe8m0.encode(0f));
        assertEquals(0, ScaleUe8m0.encode(-0f));
        assertEquals(0, ScaleUe8m0.encode(Float.MIN_VALUE));
        assertEquals((byte) 254, ScaleUe8m0.encode(Float.MAX_VALUE));
        assertEquals((byte) 254, ScaleUe8m0.encode(Float.POSITIVE_INFINITY));
        assertEquals(NAN, ScaleUe8m0.encode(-1f));
    }
}
