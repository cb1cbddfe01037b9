package layerwise.kernels;

import layerwise.cuda.LaunchShape;

/**
 * Which variant of the products of kernels/common/product_plan.cuh runs.
 *
 * @param tokens rows of activations in a tile: 8, 16, 32, 64 or 128
 * @param tiles  tiles of 128 rows of the weights that a block multiplies: 1 or 2
 * @param splits blocks of a cluster that share K
 */
record ProductVariant(int tokens, int tiles, int splits) {
    private static final int ROWS = 128;
    private static final int MULTIPLIERS = 256;
    private static final int SHARED_OF_TWO = 113 * 1024;
    private static final int SHARED_ALONE = 227 * 1024;

    /** The part of kernels' names that says which variant they are, as in {@code t8_r128}. */
    String name() {
        return "t%d_r%d".formatted(tokens, ROWS * tiles);
    }

    /** The same for dense products, as in {@code t8_r128_s4}. */
    String denseName() {
        return "%s_s%d".formatted(name(), splits);
    }

    private boolean alone() {
        return tokens * tiles > 64;
    }

    /** Tiles across a product's columns of y, of which a gated product makes half as many. */
    long across(long columns, boolean gated) {
        return Math.ceilDiv(columns, (long) (gated ? ROWS / 2 : ROWS) * tiles);
    }

    private LaunchShape blocks(long count) {
        return LaunchShape.of(Math.toIntExact(count), MULTIPLIERS + (alone() ? 128 : 32))
                .shared(alone() ? SHARED_ALONE : SHARED_OF_TWO);
    }

    private long resident(int multiprocessors) {
        return (long) multiprocessors * (alone() ? 1 : 2);
    }

    /** A dense product's launch: blocks walk the tiles, or clusters take one each. */
    LaunchShape denseShape(long rows, long n, int multiprocessors) {
        long count = across(n, false) * Math.ceilDiv(rows, tokens);
        return blocks(splits > 1 ? splits * count : Math.min(count, resident(multiprocessors)));
    }

    /** A launch over experts: no more blocks than tiles could exist, whatever the experts' shares. */
    LaunchShape expertShape(long columns, boolean gated, long pairs, long experts, int multiprocessors) {
        long most = across(columns, gated) * mostTiles(pairs, experts, tokens);
        return blocks(Math.min(most, resident(multiprocessors)));
    }

    /** Most tiles of so many rows that the experts' shares of all pairs can make. */
    static long mostTiles(long pairs, long experts, int rows) {
        return (pairs + Math.min(experts, pairs) * (rows - 1)) / rows;
    }
}
