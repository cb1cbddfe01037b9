package layerwise.op;

import java.util.ArrayList;
import java.util.List;

/**
 * Grouped-query attention (Ainslie et al. 2023) of few new tokens against the paged cache, which holds them already; new
 * token {@code i} of a sequence sees positions {@code 0 .. past+i}.
 *
 * @param q     {@code [T,Q,D]}, G divides Q
 * @param cache {@code [pages, 2, G, pageTokens, D]}, keys first
 * @param out   {@code [T,Q,D]}
 * @param scale of the scores before the softmax
 */
public record GqaDecodeAttention(TensorRef q, TensorRef cache, TensorRef out, PagedBatch paged, double scale)
        implements Operator {
    public GqaDecodeAttention {
        check("GqaDecodeAttention", q, cache, out, paged);
    }

    static void check(String operator, TensorRef q, TensorRef cache, TensorRef out, PagedBatch paged) {
        Expect.rank(operator, "q", q, 3);
        Expect.rank(operator, "cache", cache, 5);
        Expect.shape(operator, "q", q, paged.batch().tokens(), q.dim(1), q.dim(2));
        Expect.shape(operator, "cache", cache, cache.dim(0), 2, cache.dim(2), cache.dim(3), q.dim(2));
        Expect.shape(operator, "out", out, q.dim(0), q.dim(1), q.dim(2));
        Expect.that(
                q.dim(1) % cache.dim(2) == 0, "%s: %d query heads for %d key heads", operator, q.dim(1), cache.dim(2));
    }

    static List<TensorRef> inputs(TensorRef q, TensorRef cache, PagedBatch paged) {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.add(q);
        all.add(cache);
        return List.copyOf(all);
    }

    static Work work(TensorRef q, TensorRef cache, TensorRef out, PagedBatch paged) {
        long cached = paged.batch().context() * 2 * cache.dim(2) * cache.dim(4);
        return new Work(
                4 * q.dim(1) * q.dim(2) * paged.batch().visiblePairs(),
                q.bytes() + cache.dtype().bytes(cached) + out.bytes(),
                Arithmetic.BF16);
    }

    static String label(TensorRef q, TensorRef cache, PagedBatch paged) {
        return "B%d T%d S%d Q%d G%d D%d %s"
                .formatted(
                        paged.batch().sequences(),
                        q.dim(0),
                        paged.batch().longest(),
                        q.dim(1),
                        cache.dim(2),
                        q.dim(2),
                        cache.dtype());
    }

    @Override
    public List<TensorRef> inputs() {
        return inputs(q, cache, paged);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(out);
    }

    @Override
    public Work work() {
        return work(q, cache, out, paged);
    }

    @Override
    public String label() {
        return label(q, cache, paged);
    }
}
