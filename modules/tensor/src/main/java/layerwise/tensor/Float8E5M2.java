package layerwise.tensor;

/** Float8 e5m2 (OCP 8-bit floating point specification 1.0): bias 15, infinities and NaNs as in IEEE 754. */
public final class Float8E5M2 {
    /** The largest finite value. */
    public static final float MAX = 57344;

    /** The value of each code: the upper half of a float16. */
    static final float[] VALUES = MiniFloat.table(code -> Float.float16ToFloat((short) (code << 8)));

    private Float8E5M2() {}

    public static float decode(byte code) {
        return VALUES[code & 0xFF];
    }

    /** To nearest, ties to even; finite values beyond 57,344 become 57,344, infinities and NaN stay. */
    public static byte encode(float value) {
        if (Float.isNaN(value)) {
            return 0x7F;
        }
        if (Float.isInfinite(value)) {
            return (byte) (value > 0 ? 0x7C : 0xFC);
        }
        return (byte) MiniFloat.encode(value, 5, 2, 15, MAX);
    }
}
