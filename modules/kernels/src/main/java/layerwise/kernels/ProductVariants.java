package layerwise.kernels;

import layerwise.op.WeightFormat;

/** Which variants take least time, or little more, as measured on an H100 with cold caches (reports/kernels.md). */
final class ProductVariants {
    /** Row tiles from which on blocks without clusters keep the memory busy. */
    private static final long ENOUGH_TILES = 56;

    /** Elements of K from which on two blocks for a tile pay whatever the number of tiles. */
    private static final long LONG_K = 8192;

    /** Tiles of 256 rows from which on blocks that walk them have almost two each, as two of 128 rows would give them. */
    private static final long MANY_TILES = 500;

    private ProductVariants() {}

    /** For products over experts of {@code pairs} rows in all, weights of {@code n} rows each. */
    static ProductVariant experts(WeightFormat format, long pairs, long experts, long n) {
        long mean = Math.ceilDiv(pairs, experts);
        return switch (format) {
            // Activations count beside codes of four bits: two tiles share them.
            case NVFP4 ->
                mean > 64
                        ? tile(128, 1)
                        : mean > 8 && mean <= 32 && Math.ceilDiv(n, 256) * experts >= MANY_TILES
                                ? tile(width(mean), 2)
                                : experts(mean, 8, 16, 32);
            // Tiles start at multiples of four rows, so an expert's rows need a little more room.
            case FP8_BLOCK ->
                mean <= 5 ? tile(8, 1) : mean <= 13 ? tile(16, 1) : mean <= 40 ? tile(64, 1) : tile(128, 2);
            default -> experts(mean, 32);
        };
    }

    /** The least of these widths that holds the mean share; wider ones for longer shares. */
    private static ProductVariant experts(long mean, int... widths) {
        for (int width : widths) {
            if (mean <= width) {
                return tile(width, 1);
            }
        }
        return mean <= 64 ? tile(64, 2) : tile(128, 2);
    }

    private static ProductVariant tile(int tokens, int tiles) {
        return new ProductVariant(tokens, tiles, 1);
    }

    /** For a dense product of {@code rows} activations. */
    static ProductVariant dense(WeightFormat format, long rows, long n, long k) {
        if (rows > 128) {
            return tile(128, 2);
        }
        long tiles = Math.ceilDiv(n, 128);
        return switch (format) {
            case FP8_BLOCK -> fp8(rows, tiles, k);
            case NVFP4 -> nvfp4(rows, tiles, k);
            default -> throw new IllegalArgumentException("dense products of " + format + " are cuBLASLt's");
        };
    }

    private static ProductVariant fp8(long rows, long tiles, long k) {
        int splits = tiles >= ENOUGH_TILES ? 1 : 2 * tiles >= ENOUGH_TILES ? 2 : 4;
        boolean more = splits == 1 && rows <= 32 && k > LONG_K;
        return new ProductVariant(width(Math.min(rows, 64)), 1, more ? 2 : splits);
    }

    private static ProductVariant nvfp4(long rows, long tiles, long k) {
        if (rows > 64) {
            return new ProductVariant(tiles < ENOUGH_TILES ? 64 : 128, 1, 2);
        }
        return new ProductVariant(width(rows), 1, rows <= 16 && k > LONG_K ? 2 : 4);
    }

    /** The least width of a tile that holds so many rows. */
    private static int width(long rows) {
        return Math.max(8, (int) Long.highestOneBit(2 * rows - 1));
    }
}
