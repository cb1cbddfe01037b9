package layerwise.tensor;

/**
 * Element types, named as the formats are: sign, exponent and mantissa bits.
 *
 * <p>{@link #E2M1} takes half a byte: two elements share one, the even one in the low nibble.
 */
public enum DType {
    F32(32),
    F16(16),
    BF16(16),
    /** Float8 "e4m3fn": largest value 448, no infinities, one NaN of each sign. */
    E4M3(8),
    /** Float8 with infinities, largest finite value 57,344. */
    E5M2(8),
    /** Float4: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. */
    E2M1(4),
    /** Power-of-two scale {@code 2^(b-127)}; 255 is NaN. */
    UE8M0(8),
    I32(32),
    /** Eight raw bits as well: packed or quantised data whose meaning stands elsewhere. */
    I8(8);

    private final int bits;

    DType(int bits) {
        this.bits = bits;
    }

    /** Bits of one element. */
    public int bits() {
        return bits;
    }

    /**
     * Bytes that {@code elements} consecutive elements take.
     *
     * @throws IllegalArgumentException if they do not fill whole bytes
     */
    public long bytes(long elements) {
        long total = Math.multiplyExact(elements, bits);
        if (total % 8 != 0) {
            throw new IllegalArgumentException(elements + " elements of " + this + " do not fill whole bytes");
        }
        return total / 8;
    }

    /** Whether an element stands for a real number rather than an integer. */
    public boolean isFloat() {
        return this != I32 && this != I8;
    }
}
