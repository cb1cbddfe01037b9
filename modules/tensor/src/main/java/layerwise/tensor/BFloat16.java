package layerwise.tensor;

/** bfloat16: the upper half of a float32. */
public final class BFloat16 {
    private BFloat16() {}

    public static float decode(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** To nearest, ties to even; every NaN becomes a quiet NaN of its sign. */
    public static short encode(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
    }
}
