package layerwise.kernels;

import layerwise.cuda.LaunchShape;

/**
 * Which variant of the warp-group products runs: weights are the 128-row operand, {@code width} activations the other.
 * The figures are those of the kernels' headers.
 *
 * @param width  rows of activations that a block multiplies
 * @param splits blocks of a cluster that share K
 */
record WideProduct(int width, int splits) {
    private static final int[] WIDTHS = {8, 16, 32, 64, 128, 256};
    private static final int[] THREADS = {288, 288, 288, 288, 320, 384};
    private static final int[] BF16_SHARED = {69_696, 73_792, 61_488, 98_368, 229_488, 196_672};
    private static final int[] NVFP4_SHARED = {67_632, 66_640, 69_696, 102_464, 172_160, 227_424};

    /** For dense NVFP4 products of {@code tokens} rows and {@code n} outputs. */
    static WideProduct dense(long tokens, long n) {
        int width = tokens > 64 && tokens <= 128 && n <= 4224 ? 64 : least(tokens);
        if (width == 256) {
            return new WideProduct(width, 1);
        }
        if (width == 128 || tokens > 64) {
            return new WideProduct(width, 2);
        }
        long columns = Math.ceilDiv(n, 128);
        int splits = 8 * columns <= 264 ? 8 : 4 * columns <= 264 ? 4 : 2;
        return new WideProduct(width, splits);
    }

    /** For products over experts of {@code pairs} rows in all. */
    static WideProduct experts(long pairs, long experts) {
        return new WideProduct(least(Math.ceilDiv(pairs, experts)), 1);
    }

    private static int least(long rows) {
        for (int width : WIDTHS) {
            if (width >= rows) {
                return width;
            }
        }
        return 256;
    }

    private int index() {
        return Integer.numberOfTrailingZeros(width) - 3;
    }

    String denseSymbol() {
        return "linear_nvfp4_n%d_s%d".formatted(width, splits);
    }

    LaunchShape denseShape(long tokens, long n) {
        return LaunchShape.of(1, THREADS[index()])
                .grid(Math.toIntExact(splits * Math.ceilDiv(n, 128)), Math.toIntExact(Math.ceilDiv(tokens, width)), 1)
                .shared(NVFP4_SHARED[index()]);
    }

    /** The grid has a block for every tile that could exist, whatever the experts' shares. */
    LaunchShape expertShape(long columnTiles, long pairs, long experts, boolean nvfp4) {
        return LaunchShape.of(tiles(columnTiles, pairs, experts, width), THREADS[index()])
                .shared((nvfp4 ? NVFP4_SHARED : BF16_SHARED)[index()]);
    }

    static int tiles(long columnTiles, long pairs, long experts, int width) {
        return Math.toIntExact(columnTiles * ((pairs + Math.min(experts, pairs) * (width - 1)) / width));
    }
}
