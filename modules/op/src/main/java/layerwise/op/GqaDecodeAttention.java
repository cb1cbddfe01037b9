package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Causal attention of grouped queries against a paged cache, whose rows hold a token's keys of all key/value heads and
 * then its values. The step's own tokens are in the cache already.
 *
 * @param q     {@code [T,Q,D]}; {@code Q/G} neighbouring heads share a key/value head
 * @param cache {@code [pages, pageTokens, 2·G·D]}
 * @param out   {@code [T,Q,D]}
 * @param scale of the scores before the softmax
 * @see <a href="https://arxiv.org/abs/2305.13245">Ainslie et al. 2023, §2.2</a>
 */
public record GqaDecodeAttention(TensorRef q, TensorRef cache, TensorRef out, PagedBatch paged, double scale)
        implements Operator {
    public GqaDecodeAttention {
        Expect.rank("GqaDecodeAttention", "q", q, 3);
        Expect.rank("GqaDecodeAttention", "cache", cache, 3);
        Expect.shape("GqaDecodeAttention", "q", q, paged.batch().tokens(), q.dim(1), q.dim(2));
        Expect.shape("GqaDecodeAttention", "out", out, q.dim(0), q.dim(1), q.dim(2));
        Expect.that(
                cache.dim(2) % (2 * q.dim(2)) == 0,
                "GqaDecodeAttention: rows of %d hold no whole heads of %d keys and values",
                cache.dim(2),
                q.dim(2));
        Expect.that(
                q.dim(1) % (cache.dim(2) / (2 * q.dim(2))) == 0,
                "GqaDecodeAttention: %d query heads on %d key/value heads",
                q.dim(1),
                cache.dim(2) / (2 * q.dim(2)));
    }

    /** G. */
    public int kvHeads() {
        return (int) (cache.dim(2) / (2 * q.dim(2)));
    }

    /** Query heads that share a key/value head. */
    public int group() {
        return (int) q.dim(1) / kvHeads();
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
                4 * q.dim(1) * q.dim(2) * paged.batch().visiblePairs(),
                q.bytes() + cache.dtype().bytes(paged.batch().context() * cache.dim(2)) + out.bytes(),
                Arithmetic.BF16);
    }

    @Override
    public String label() {
        return "B%d T%d S%d Q%d G%d D%d %s"
                .formatted(
                        paged.batch().sequences(),
                        q.dim(0),
                        paged.batch().longest(),
                        q.dim(1),
                        kvHeads(),
                        q.dim(2),
                        cache.dtype());
    }
}
