package layerwise.op;

/**
 * A counter-based random source, so that any element can be made anywhere without those before it: the finaliser of
 * SplitMix64 (Steele, Lea and Flood 2014, figure 16) over seed and index.
 */
public final class Noise {
    private Noise() {}

    /** Uniform in [0, 1) with 24 bits. */
    public static float uniform(long seed, long index) {
        return (bits(seed, index) >>> 40) * 0x1p-24f;
    }

    /** 64 random bits. */
    public static long bits(long seed, long index) {
        long z = seed + (index + 1) * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
