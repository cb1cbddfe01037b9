package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * Attention of MLA in its absorbed form against the paged latent cache: one key/value head for all query heads, values
 * are the first R elements of each cached row. The step's own tokens are in the cache already. E4M3 rows, of scale 1, are
 * met by E4M3 queries of scale 1, as engines do it; both products count as those of 16-bit operands.
 *
 * @param q     {@code [T,Q,R+D]}, E4M3 where the cache is
 * @param cache {@code [pages, pageTokens, R+D]}
 * @param out   {@code [T,Q,R]}
 * @param scale of the scores before the softmax
 */
public record MlaDecodeAttention(TensorRef q, TensorRef cache, TensorRef out, PagedBatch paged, double scale)
        implements Operator {
    public MlaDecodeAttention {
        Expect.rank("MlaDecodeAttention", "q", q, 3);
        Expect.rank("MlaDecodeAttention", "out", out, 3);
        Expect.rank("MlaDecodeAttention", "cache", cache, 3);
        Expect.shape("MlaDecodeAttention", "q", q, paged.batch().tokens(), q.dim(1), cache.dim(2));
        Expect.shape("MlaDecodeAttention", "out", out, q.dim(0), q.dim(1), out.dim(2));
        Expect.that(
                (q.dtype() == DType.E4M3) == (cache.dtype() == DType.E4M3),
                "MlaDecodeAttention: queries %s for a cache %s",
                q,
                cache);
        Expect.that(
                out.dim(2) <= cache.dim(2), "MlaDecodeAttention: values of %d in rows of %d", out.dim(2), cache.dim(2));
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.add(q);
        all.add(cache);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(out);
    }

    @Override
    public Work work() {
        return new Work(
                2 * q.dim(1) * (q.dim(2) + out.dim(2)) * paged.batch().visiblePairs(),
                q.bytes() + cache.dtype().bytes(paged.batch().context() * cache.dim(2)) + out.bytes(),
                Arithmetic.BF16);
    }

    @Override
    public String label() {
        return "B%d T%d S%d Q%d D%d/%d %s"
                .formatted(
                        paged.batch().sequences(),
                        q.dim(0),
                        paged.batch().longest(),
                        q.dim(1),
                        q.dim(2),
                        out.dim(2),
                        cache.dtype());
    }
}
