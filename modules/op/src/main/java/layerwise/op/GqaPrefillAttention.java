package layerwise.op;

import java.util.List;

/**
 * Causal grouped-query attention of many new tokens against the paged cache, which holds them already; new token
 * {@code i} of a sequence sees positions {@code 0 .. past+i}.
 *
 * @param q     {@code [T,Q,D]}, G divides Q
 * @param cache {@code [pages, 2, G, pageTokens, D]}, keys first
 * @param out   {@code [T,Q,D]}
 * @param scale of the scores before the softmax
 */
public record GqaPrefillAttention(TensorRef q, TensorRef cache, TensorRef out, PagedBatch paged, double scale)
        implements Operator {
    public GqaPrefillAttention {
        GqaDecodeAttention.check("GqaPrefillAttention", q, cache, out, paged);
    }

    @Override
    public List<TensorRef> inputs() {
        return GqaDecodeAttention.inputs(q, cache, paged);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(out);
    }

    @Override
    public Work work() {
        return GqaDecodeAttention.work(q, cache, out, paged);
    }

    @Override
    public String label() {
        return GqaDecodeAttention.label(q, cache, paged);
    }
}
