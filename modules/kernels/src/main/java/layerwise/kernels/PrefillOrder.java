package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.Batch;
import layerwise.op.PagedBatch;

/**
 * The tasks of a prefill kernel, 128 queries of a head each, and the order in which blocks take them:
 * kernels/common/prefill.cuh.
 *
 * @param batch     lengths
 * @param heads     query heads
 * @param headGroup heads that start together: so many that L2 holds their keys and values, by the longest sequence
 */
record PrefillOrder(Batch batch, int heads, int headGroup) {
    private static final int QUERIES = 128;

    /** A block takes a multiprocessor for itself. */
    private static final int MULTIPROCESSORS = 132;

    /** What of L2 tasks may count on: a third of it, since both of its halves keep what both read. */
    private static final long L2_SHARE = 16L << 20;

    /** @param keyBytes bytes of a key and its value, as a share of each query head */
    static PrefillOrder of(Batch batch, long heads, long keyBytes) {
        long together = L2_SHARE / Math.max(1, keyBytes * batch.longest());
        return new PrefillOrder(batch, Math.toIntExact(heads), Math.toIntExact(Math.clamp(together, 1, heads)));
    }

    /** Of the longest sequence and one head. */
    private int tiles() {
        return Math.ceilDiv(AttentionOperands.newest(batch), QUERIES);
    }

    LaunchShape shape(int sharedBytes) {
        long tasks = (long) tiles() * heads * batch.sequences();
        return LaunchShape.of(Math.toIntExact(Math.min(tasks, MULTIPROCESSORS)), 384)
                .shared(sharedBytes);
    }

    KernelCall arguments(KernelCall call, Preparation to, PagedBatch paged) {
        return call.pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .pointer(to.zeros(2 * Integer.BYTES))
                .number(tiles())
                .number(heads)
                .number(batch.sequences())
                .number(headGroup);
    }
}
