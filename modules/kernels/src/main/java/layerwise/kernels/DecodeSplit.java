package layerwise.kernels;

import layerwise.op.Batch;

/**
 * How decode attention divides the keys of long sequences among blocks.
 *
 * @param chunk    keys that one block sees
 * @param partials rows of partial results
 */
record DecodeSplit(int chunk, long partials) {
    /** Query rows of one block. */
    static final int ROWS = 64;

    private static final int KEYS = 64;
    private static final int MULTIPROCESSORS = 132;

    /** Starting and ending a block costs about as much as so many tiles of keys, as kernels/mla_decode_attention.cu says. */
    private static final int OVERHEAD = 5;

    /** The division that its kernel's header asks for: multiprocessors evenly busy, the smallest chunk of equal ones. */
    static DecodeSplit of(Batch batch, int heads) {
        int most = Math.ceilDiv(batch.longest(), KEYS);
        int best = most;
        long least = Long.MAX_VALUE;
        for (int tiles = 1; tiles <= most; tiles++) {
            long cost = Math.ceilDiv(blocks(batch, heads, tiles * KEYS), MULTIPROCESSORS) * (tiles + OVERHEAD);
            if (cost < least) {
                least = cost;
                best = tiles;
            }
        }
        int chunk = best * KEYS;
        long partials = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            long parts = Math.ceilDiv(batch.past().get(b) + batch.queries().get(b), chunk);
            partials += parts > 1 ? parts * batch.queries().get(b) * heads : 0;
        }
        return new DecodeSplit(chunk, partials);
    }

    private static long blocks(Batch batch, int heads, int chunk) {
        long blocks = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int queries = batch.queries().get(b);
            blocks += (long) Math.ceilDiv(queries * heads, ROWS)
                    * Math.ceilDiv(batch.past().get(b) + queries, chunk);
        }
        return blocks;
    }
}
