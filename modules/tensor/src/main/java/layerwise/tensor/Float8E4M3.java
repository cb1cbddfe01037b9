package layerwise.tensor;

/** Float8 e4m3fn (OCP 8-bit floating point specification 1.0): bias 7, largest value 448, no infinities. */
public final class Float8E4M3 {
    /** The largest finite value. */
    public static final float MAX = 448;

    /** The value of each code. */
    static final float[] VALUES =
            MiniFloat.table(code -> (code & 0x7F) == 0x7F ? Float.NaN : MiniFloat.decode(code, 4, 3, 7));

    private Float8E4M3() {}

    public static float decode(byte code) {
        return VALUES[code & 0xFF];
    }

    /** To nearest, ties to even; what lies beyond 448 becomes 448, as engines quantise, and NaN stays NaN. */
    public static byte encode(float value) {
        return Float.isNaN(value) ? (byte) 0x7F : (byte) MiniFloat.encode(value, 4, 3, 7, MAX);
    }
}
