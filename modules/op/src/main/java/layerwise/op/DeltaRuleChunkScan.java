package layerwise.op;

import java.util.List;

/**
 * {@link DeltaRule} for many tokens of a sequence at once, in its chunked form (Yang et al. 2024, "Parallelizing Linear
 * Transformers with the Delta Rule", §3): a triangular system within each chunk, a recurrence over chunks.
 *
 * @param chunk tokens of a chunk
 */
public record DeltaRuleChunkScan(DeltaRule rule, int chunk) implements Operator {
    public DeltaRuleChunkScan {
        Expect.that(chunk >= 1, "DeltaRuleChunkScan: chunks of %d tokens", chunk);
    }

    @Override
    public List<TensorRef> inputs() {
        return rule.inputs();
    }

    @Override
    public List<TensorRef> outputs() {
        return rule.outputs();
    }

    /**
     * For each value head and chunk: K·Kᵀ, Q·Kᵀ, the triangular solve and its products with K and V, the scores' product
     * with the corrected values, and three products with the state.
     */
    @Override
    public Work work() {
        long flops = 0;
        for (int queries : rule.paged().batch().queries()) {
            flops += queries / chunk * flops(chunk) + flops(queries % chunk);
        }
        return new Work(flops, rule.bytes(), Arithmetic.BF16);
    }

    private long flops(long tokens) {
        long inside = tokens * tokens * (3L * rule.keyDim() + 2L * rule.valueDim());
        long states = 3 * tokens * rule.keyDim() * rule.valueDim();
        long solve = tokens * tokens * tokens / 3;
        return 2L * rule.valueHeads() * (inside + states + solve);
    }

    @Override
    public String label() {
        return rule.label();
    }
}
