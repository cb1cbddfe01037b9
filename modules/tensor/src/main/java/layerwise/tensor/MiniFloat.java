package layerwise.tensor;

/** Arithmetic that the floats of eight and fewer bits share: sign, exponent with a bias, mantissa, subnormals. */
final class MiniFloat {
    private MiniFloat() {}

    static float decode(int code, int exponentBits, int mantissaBits, int bias) {
        int mantissa = code & ((1 << mantissaBits) - 1);
        int exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
        float magnitude = exponent == 0
                ? Math.scalb((float) mantissa, 1 - bias - mantissaBits)
                : Math.scalb((float) (mantissa | (1 << mantissaBits)), exponent - bias - mantissaBits);
        return ((code >> (exponentBits + mantissaBits)) & 1) == 0 ? magnitude : -magnitude;
    }

    /** To nearest, ties to even, saturating at {@code max}; not for NaN. */
    static int encode(float value, int exponentBits, int mantissaBits, int bias, float max) {
        int sign = Float.floatToRawIntBits(value) >>> 31 << (exponentBits + mantissaBits);
        float magnitude = Math.min(Math.abs(value), max);
        int exponent = Math.max(Math.getExponent(magnitude), 1 - bias);
        // In units of the last mantissa bit; a carry out of the mantissa runs into the exponent by itself.
        int units = (int) Math.rint(Math.scalb((double) magnitude, mantissaBits - exponent));
        int code = units + ((exponent + bias - 1) << mantissaBits);
        return sign | code;
    }
}
