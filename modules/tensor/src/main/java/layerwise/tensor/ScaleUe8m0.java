package layerwise.tensor;

/** Power-of-two scales (OCP microscaling specification 1.0): {@code 2^(b-127)}, 255 is NaN; no sign, no zero. */
public final class ScaleUe8m0 {
    /** The value of each code. */
    static final float[] VALUES = MiniFloat.table(code -> code == 0xFF ? Float.NaN : Math.scalb(1f, code - 127));

    private ScaleUe8m0() {}

    public static float decode(byte code) {
        return VALUES[code & 0xFF];
    }

    /** The smallest power of two that is not below {@code value}, so a scale never lets its block overflow. */
    public static byte encode(float value) {
        if (Float.isNaN(value) || value < 0) {
            return (byte) 0xFF;
        }
        if (value <= Float.MIN_NORMAL / 2) {
            return 0;
        }
        int exponent = Math.getExponent(value) + (Math.scalb(1f, Math.getExponent(value)) < value ? 1 : 0);
        return (byte) Math.clamp(exponent + 127L, 0, 254);
    }
}
