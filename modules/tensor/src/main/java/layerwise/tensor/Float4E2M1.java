package layerwise.tensor;

/** Float4 e2m1 (OCP microscaling specification 1.0): 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. */
public final class Float4E2M1 {
    /** The largest value. */
    public static final float MAX = 6;

    private static final float[] VALUES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

    private Float4E2M1() {}

    /** The value of the low four bits. */
    public static float decode(int code) {
        return VALUES[code & 0xF];
    }

    /** To nearest, ties to even; saturates at 6, NaN becomes 6 of its sign, as the hardware converts. */
    public static int encode(float value) {
        if (Float.isNaN(value)) {
            return Float.floatToRawIntBits(value) < 0 ? 0xF : 0x7;
        }
        return MiniFloat.encode(value, 2, 1, 1, MAX);
    }
}
