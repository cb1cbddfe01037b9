package layerwise.op;

/** How a weight matrix is stored. */
public enum WeightFormat {
    F32,
    F16,
    BF16,
    /** E4M3 with one float32 scale for each 128 × 128 block. */
    FP8_BLOCK,
    /** E2M1 with one E4M3 scale for 16 elements along K and float32 scales for whole segments of rows. */
    NVFP4;

    /**
     * Neighbouring elements along an axis that ranks do not divide: those that share a scale, and enough for the vectors that
     * kernels read.
     */
    public int indivisible() {
        return switch (this) {
            case F32, F16, BF16 -> 8;
            case FP8_BLOCK -> 128;
            case NVFP4 -> 64;
        };
    }
}
