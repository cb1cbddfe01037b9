package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.Batch;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;

/**
 * How decode attention divides the keys of long sequences among blocks, and where their partial results go.
 *
 * @param chunk    keys that one block sees
 * @param lead     chunks that a block sees which has a sequence's first keys
 * @param parts    parts of the longest sequence
 * @param partials rows of partial results
 */
record DecodeSplit(int chunk, int lead, int parts, long partials) {
    private static final int MULTIPROCESSORS = 132;

    /** Most threads of a block of the combination, and parts that a thread of it loads at once. */
    private static final int COMBINE_THREADS = 512;

    private static final int PARTS_AHEAD = 8;

    /** Starting and ending a block costs about as much as so many tiles of keys. */
    private static final int OVERHEAD = 5;

    /** Tiles of a wave's blocks from which on it pays that short parts fill up the end, and rows of one up to which. */
    private static final int LONG_TILES = 64;

    private static final int FEW_ROWS = 32;

    /** Of twelve chunks of the longest sequence so many are one part, the others a part each. */
    private static final int CHUNKS = 12;

    private static final int LEAD = 10;

    /**
     * What a kernel's division depends on.
     *
     * @param blocks       blocks that a multiprocessor holds
     * @param partsPerTile parts that cost as much in the combination as a tile of keys in a block
     */
    record Kernel(int blocks, int partsPerTile) {
        static final Kernel LATENT = new Kernel(1, 10);
        static final Kernel GROUPED = new Kernel(1, 40);
        static final Kernel GROUPED_IN_PAIRS = new Kernel(2, 40);
    }

    /**
     * The division that kernels/{mla,gqa}_decode_attention.cu ask for: multiprocessors evenly busy, few parts, the smallest
     * chunk of equal ones.
     */
    static DecodeSplit of(Batch batch, int heads, int kvHeads, Kernel kernel) {
        int most = Math.ceilDiv(batch.longest(), AttentionOperands.TILE);
        int best = most;
        long least = Long.MAX_VALUE;
        for (int tiles = 1; tiles <= most; tiles++) {
            long waves = Math.ceilDiv(blocks(batch, heads, kvHeads, tiles), MULTIPROCESSORS * kernel.blocks());
            long cost = kernel.partsPerTile() * waves * (tiles + OVERHEAD) + Math.ceilDiv(most, tiles);
            if (cost < least) {
                least = cost;
                best = tiles;
            }
        }
        return inChunks(batch, heads, best * AttentionOperands.TILE, 1);
    }

    /**
     * The same, but where that divides no sequence and blocks take long, the last keys make short parts: for memory that
     * gives more than the last multiprocessors of a wave can draw.
     */
    static DecodeSplit filledUp(Batch batch, int heads, int kvHeads, Kernel kernel) {
        DecodeSplit even = of(batch, heads, kvHeads, kernel);
        int tiles = Math.ceilDiv(batch.longest(), AttentionOperands.TILE);
        long waves = Math.ceilDiv(blocks(batch, heads, kvHeads, tiles), MULTIPROCESSORS * kernel.blocks());
        int rows = AttentionOperands.newest(batch) * (heads / kvHeads);
        if (even.parts > 1 || waves * tiles < LONG_TILES || rows > FEW_ROWS) {
            return even;
        }
        return inChunks(batch, heads, Math.ceilDiv(tiles, CHUNKS) * AttentionOperands.TILE, LEAD);
    }

    private static DecodeSplit inChunks(Batch batch, int heads, int chunk, int lead) {
        long partials = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            long parts = parts(batch.past().get(b) + batch.queries().get(b), chunk, lead);
            partials += parts > 1 ? parts * batch.queries().get(b) * heads : 0;
        }
        return new DecodeSplit(chunk, lead, parts(batch.longest(), chunk, lead), partials);
    }

    private static int parts(int keys, int chunk, int lead) {
        return Math.max(1, Math.ceilDiv(keys, chunk) - lead + 1);
    }

    private static long blocks(Batch batch, int heads, int kvHeads, int tiles) {
        long blocks = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int queries = batch.queries().get(b);
            long rows = Math.ceilDiv(queries * (heads / kvHeads), AttentionOperands.TILE);
            blocks += kvHeads * rows * Math.ceilDiv(batch.past().get(b) + queries, tiles * AttentionOperands.TILE);
        }
        return blocks;
    }

    /**
     * A launch of decode attention and, where a sequence has several parts, that of kernels/attention_combine.cu behind it.
     *
     * @param out       {@code [T,Q,D]}
     * @param attention makes the first one, given the addresses of partial results and of their sums
     */
    Launchable launches(Preparation to, TensorRef out, PagedBatch paged, Attention attention) {
        if (partials == 0) {
            return attention.launch(0, 0);
        }
        long partial = to.scratch(partials * out.dim(2) * Float.BYTES);
        long logSum = to.scratch(partials * Float.BYTES);
        Launchable combine = to.call(
                        "attention_combine",
                        "attention_combine_d%d_bf16".formatted(out.dim(2)),
                        LaunchShape.of(1, combineThreads((int) out.dim(2)))
                                .grid(paged.batch().tokens(), (int) out.dim(1), 1))
                .pointer(to.address(out))
                .pointer(partial)
                .pointer(logSum)
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .number(paged.batch().sequences())
                .size(out.dim(1))
                .number(chunk)
                .number(lead)
                .wide(out.strides().step(0))
                .wide(out.strides().step(1));
        return Launchable.sequence(attention.launch(partial, logSum), combine);
    }

    /** Threads of a block of kernels/attention_combine.cu: groups of a row's that share the parts. */
    private int combineThreads(int valueDim) {
        int groups = 1;
        while (groups * PARTS_AHEAD < parts && 2 * groups * valueDim / 4 <= COMBINE_THREADS) {
            groups *= 2;
        }
        return groups * valueDim / 4;
    }

    /** A launch that leaves partial results. */
    interface Attention {
        Launchable launch(long partial, long logSum);
    }
}
