package layerwise.op;

import java.util.List;

/**
 * Causal attention of grouped queries: {@code Q/G} neighbouring query heads share a key/value head.
 *
 * <p>Keys and values of all sequences lie one after the other, past tokens first; new token {@code i} of a sequence
 * sees positions {@code 0 .. past+i}.
 *
 * @param q     {@code [T,Q,D]}
 * @param k     {@code [S,G,D]}
 * @param v     {@code [S,G,D]}
 * @param out   {@code [T,Q,D]}
 * @param scale of the scores before the softmax
 * @see <a href="https://arxiv.org/abs/2305.13245">Ainslie et al. 2023, §2.2</a>
 */
public record GqaPrefillAttention(TensorRef q, TensorRef k, TensorRef v, TensorRef out, PagedBatch paged, double scale)
        implements Operator {
    public GqaPrefillAttention {
        Expect.rank("GqaPrefillAttention", "q", q, 3);
        Expect.rank("GqaPrefillAttention", "k", k, 3);
        Expect.shape("GqaPrefillAttention", "q", q, paged.batch().tokens(), q.dim(1), q.dim(2));
        Expect.shape("GqaPrefillAttention", "k", k, paged.batch().context(), k.dim(1), q.dim(2));
        Expect.shape("GqaPrefillAttention", "v", v, k.dim(0), k.dim(1), k.dim(2));
        Expect.shape("GqaPrefillAttention", "out", out, q.dim(0), q.dim(1), q.dim(2));
        Expect.that(
                q.dim(1) % k.dim(1) == 0,
                "GqaPrefillAttention: %d query heads on %d key/value heads",
                q.dim(1),
                k.dim(1));
    }

    /** Query heads that share a key/value head. */
    public int group() {
        return (int) (q.dim(1) / k.dim(1));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(q, k, v, paged.starts(), paged.past());
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(out);
    }

    @Override
    public Work work() {
        return new Work(
                4 * q.dim(1) * q.dim(2) * paged.batch().visiblePairs(),
                q.bytes() + k.bytes() + v.bytes() + out.bytes(),
                Arithmetic.BF16);
    }

    @Override
    public String label() {
        return "B%d T%d S%d Q%d G%d D%d"
                .formatted(paged.batch().sequences(), q.dim(0), paged.batch().longest(), q.dim(1), k.dim(1), q.dim(2));
    }
}
