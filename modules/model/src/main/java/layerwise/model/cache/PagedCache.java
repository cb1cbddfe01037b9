package layerwise.model.cache;

import layerwise.op.Batch;
import layerwise.tensor.ConfigException;

/**
 * How the paged cache is laid out: every request owns its pages from the start, page {@code j} of request {@code i} being
 * page {@code i·pagesPerRequest + j} of the pool.
 *
 * @param requests      requests that have a place
 * @param pageTokens    tokens of one page
 * @param requestTokens tokens that a request may reach
 */
public record PagedCache(int requests, int pageTokens, int requestTokens) {
    public PagedCache {
        if (requests < 1 || pageTokens < 1 || requestTokens < 1) {
            throw new ConfigException("paged cache: %d requests of %d tokens in pages of %d"
                    .formatted(requests, requestTokens, pageTokens));
        }
    }

    public int pagesPerRequest() {
        return Math.ceilDiv(requestTokens, pageTokens);
    }

    /** Pages of the pool. */
    public long pages() {
        return (long) requests * pagesPerRequest();
    }

    /**
     * Tables of a step of {@code batch} by the requests from {@code first} on.
     *
     * @param name prefix of the tables' buffers
     * @throws ConfigException if a request or its length has no place
     */
    public BatchTables tables(String name, int first, Batch batch) {
        if (first + batch.sequences() > requests || batch.longest() > requestTokens) {
            throw new ConfigException("paged cache: requests %d to %d of up to %d tokens, there is room for %d of %d"
                    .formatted(first, first + batch.sequences() - 1, batch.longest(), requests, requestTokens));
        }
        return BatchTables.of(name, first, batch, pagesPerRequest());
    }
}
