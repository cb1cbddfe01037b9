package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * Attention of MLA in its absorbed form over chosen rows of the latent cache, in prefill and in decode: one key/value head
 * for all query heads, values are the latent part of each row. A token attends {@code min(k, position + 1)} rows.
 *
 * @param q         {@code [T,Q,R+D]}
 * @param cache     {@code [pages, pageTokens, R+D]}, or packed as {@link PackedLatent} tells
 * @param rows      {@code [T,k]} int32: rows of the pool, those that count first, then −1
 * @param positions {@code [T]} int32
 * @param out       {@code [T,Q,R]}
 * @param batch     the step's lengths
 * @param scale     of the scores before the softmax
 */
public record SparseMlaAttention(
        TensorRef q, TensorRef cache, TensorRef rows, TensorRef positions, TensorRef out, Batch batch, double scale)
        implements Operator {
    public SparseMlaAttention {
        Expect.rank("SparseMlaAttention", "q", q, 3);
        Expect.rank("SparseMlaAttention", "cache", cache, 3);
        Expect.rank("SparseMlaAttention", "rows", rows, 2);
        Expect.rank("SparseMlaAttention", "out", out, 3);
        Expect.shape("SparseMlaAttention", "q", q, batch.tokens(), q.dim(1), q.dim(2));
        Expect.shape("SparseMlaAttention", "out", out, q.dim(0), q.dim(1), out.dim(2));
        Expect.shape("SparseMlaAttention", "rows", rows, q.dim(0), rows.dim(1));
        Expect.dtype("SparseMlaAttention", "rows", rows, DType.I32);
        Expect.shape("SparseMlaAttention", "positions", positions, q.dim(0));
        Expect.dtype("SparseMlaAttention", "positions", positions, DType.I32);
        Expect.contiguous("SparseMlaAttention", cache, rows);
        Expect.that(out.dim(2) <= q.dim(2), "SparseMlaAttention: values of %d in %s", out.dim(2), q);
        long width = PackedLatent.holds(cache) ? PackedLatent.bytes(out.dim(2), q.dim(2) - out.dim(2)) : q.dim(2);
        Expect.shape("SparseMlaAttention", "cache", cache, cache.dim(0), cache.dim(1), width);
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(q, cache, rows, positions);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(out);
    }

    /** Each cached row is read once at least, whether one token or all of its sequence choose it. */
    @Override
    public Work work() {
        int k = Math.toIntExact(rows.dim(1));
        return new Work(
                2 * q.dim(1) * (q.dim(2) + out.dim(2)) * batch.chosenPairs(k),
                q.bytes()
                        + cache.dtype().bytes(batch.chosenRows(k) * cache.dim(2))
                        + rows.bytes()
                        + positions.bytes()
                        + out.bytes(),
                Arithmetic.BF16);
    }

    @Override
    public String label() {
        return "B%d T%d S%d top%d Q%d D%d/%d %s"
                .formatted(
                        batch.sequences(),
                        q.dim(0),
                        batch.longest(),
                        rows.dim(1),
                        q.dim(1),
                        q.dim(2),
                        out.dim(2),
                        PackedLatent.holds(cache) ? "packed" : cache.dtype());
    }
}
