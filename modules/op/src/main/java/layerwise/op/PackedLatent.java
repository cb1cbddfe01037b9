package layerwise.op;

import layerwise.tensor.DType;

/**
 * How FlashMLA lays out a cached row in FP8: the latent's R elements in E4M3, a float32 scale for each run of 128 of them,
 * then the D rotated elements in bfloat16; 656 bytes for R = 512 and D = 64. A buffer of such rows has raw bytes.
 */
public final class PackedLatent {
    /** Elements of the latent that share a scale. */
    public static final int RUN = 128;

    private PackedLatent() {}

    /** Whether a cache is packed. */
    public static boolean holds(TensorRef cache) {
        return cache.dtype() == DType.I8;
    }

    /** Bytes of a row. */
    public static long bytes(long latent, long rope) {
        return latent + 4 * Math.ceilDiv(latent, (long) RUN) + 2 * rope;
    }
}
