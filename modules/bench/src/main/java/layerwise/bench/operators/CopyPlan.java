package layerwise.bench.operators;

import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import layerwise.op.Buffer;

/**
 * How many copies of its operands an operator is timed on, so that none of them is in the cache when its turn comes.
 *
 * @param copies at least one
 * @param shared buffers that all copies have together
 * @param cache  what that means for the cache
 */
record CopyPlan(int copies, Set<Buffer> shared, CacheState cache) {
    /** More take longer to prepare than the smallest operators' times are worth. */
    static final int MOST_COPIES = 4096;

    /** All copies together: what is left beside the largest layers on the smallest GPU that runs them. */
    static final long MOST_BYTES = 16L << 30;

    CopyPlan {
        shared = Set.copyOf(shared);
    }

    /**
     * The plan of one operator.
     *
     * @param buffers all that it reads or writes and that exist before it runs
     * @param weights those of them that are weights
     * @param touched bytes that one launch moves at least
     * @param cache   bytes of the cache, where that is known
     */
    static CopyPlan of(List<Buffer> buffers, Set<Buffer> weights, long touched, OptionalLong cache) {
        if (cache.isEmpty()) {
            return new CopyPlan(1, Set.of(), CacheState.UNKNOWN);
        }
        if (touched == 0) {
            return new CopyPlan(1, Set.of(), CacheState.WARM);
        }
        long wanted = wanted(touched, cache.getAsLong());
        long all = bytes(buffers);
        if (wanted == 1 || (wanted <= MOST_COPIES && wanted * all <= MOST_BYTES)) {
            return new CopyPlan((int) wanted, Set.of(), CacheState.COLD);
        }
        Set<Buffer> shared = new HashSet<>();
        if (wanted * all > MOST_BYTES) {
            // Weights of experts without rows are never read, but which experts have rows is the operator's affair.
            buffers.stream()
                    .filter(buffer -> buffer.bytes() > 2 * touched && !weights.contains(buffer))
                    .forEach(shared::add);
        }
        long each = Math.max(1, all - bytes(shared));
        long copies = Math.clamp(Math.min(wanted, MOST_BYTES / each), 1, MOST_COPIES);
        CacheState state = copies < wanted ? CacheState.WARM : shared.isEmpty() ? CacheState.COLD : CacheState.PARTLY;
        return new CopyPlan((int) copies, shared, state);
    }

    /** The least number whose bytes together are more than twice the cache. */
    static long wanted(long touched, long cache) {
        return 2 * cache / touched + 1;
    }

    private static long bytes(Iterable<Buffer> buffers) {
        long sum = 0;
        for (Buffer buffer : buffers) {
            sum += buffer.bytes();
        }
        return sum;
    }
}
