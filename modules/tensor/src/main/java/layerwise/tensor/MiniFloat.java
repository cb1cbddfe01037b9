package layerwise.tensor;

import java.util.function.IntToDoubleFunction;

/** Arithmetic that the floats of eight and fewer bits share: sign, exponent with a bias, mantissa, subnormals. */
final class MiniFloat {
    private static final int FLOAT_MANTISSA_BITS = 23;
    private static final int FLOAT_BIAS = 127;

    private MiniFloat() {}

    static float decode(int code, int exponentBits, int mantissaBits, int bias) {
        int mantissa = code & ((1 << mantissaBits) - 1);
        int exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
        float magnitude = exponent == 0
                ? Math.scalb((float) mantissa, 1 - bias - mantissaBits)
                : Math.scalb((float) (mantissa | (1 << mantissaBits)), exponent - bias - mantissaBits);
        return ((code >> (exponentBits + mantissaBits)) & 1) == 0 ? magnitude : -magnitude;
    }

    /** The values of all 256 codes of an eight-bit format. */
    static float[] table(IntToDoubleFunction decode) {
        float[] values = new float[256];
        for (int code = 0; code < values.length; code++) {
            values[code] = (float) decode.applyAsDouble(code);
        }
        return values;
    }

    /** To nearest, ties to even, saturating at {@code max}; not for NaN. */
    static int encode(float value, int exponentBits, int mantissaBits, int bias, float max) {
        int sign = Float.floatToRawIntBits(value) >>> 31 << (exponentBits + mantissaBits);
        float magnitude = Math.min(Math.abs(value), max);
        int bits = Float.floatToRawIntBits(magnitude);
        int dropped = FLOAT_MANTISSA_BITS - mantissaBits;
        if (bits >>> FLOAT_MANTISSA_BITS < FLOAT_BIAS + 1 - bias) {
            // Subnormal: beside this power of two a float32's last bit is the format's smallest step, so the addition
            // itself rounds, and the low bits of the sum count the steps.
            int magic = (FLOAT_BIAS + 1 - bias + dropped) << FLOAT_MANTISSA_BITS;
            return sign | (Float.floatToRawIntBits(magnitude + Float.intBitsToFloat(magic)) - magic);
        }
        // A carry out of the mantissa runs into the exponent by itself.
        int rounded = bits + (1 << (dropped - 1)) - 1 + ((bits >>> dropped) & 1);
        return sign | ((rounded >>> dropped) - ((FLOAT_BIAS - bias) << mantissaBits));
    }
}
