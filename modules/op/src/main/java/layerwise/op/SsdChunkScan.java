package layerwise.op;

import java.util.List;

/**
 * {@link StateSpace} for many tokens of a sequence at once, in its chunked dual form (Dao and Gu 2024, §6): products
 * within chunks, a recurrence over chunks.
 *
 * @param chunk tokens of a chunk
 */
public record SsdChunkScan(StateSpace ssm, int chunk) implements Operator {
    public SsdChunkScan {
        Expect.that(chunk >= 1, "SsdChunkScan: chunks of %d tokens", chunk);
    }

    @Override
    public List<TensorRef> inputs() {
        return ssm.inputs();
    }

    @Override
    public List<TensorRef> outputs() {
        return ssm.outputs();
    }

    /** Within each chunk C·Bᵀ for each group and its product with x for each head; state into and out of each chunk. */
    @Override
    public Work work() {
        long flops = 0;
        for (int queries : ssm.paged().batch().queries()) {
            flops += queries / chunk * flops(chunk) + flops(queries % chunk);
        }
        return new Work(flops, ssm.bytes(), Arithmetic.BF16);
    }

    private long flops(long tokens) {
        long scores = tokens * tokens * ssm.groups() * ssm.stateDim();
        long inside = tokens * tokens * ssm.heads() * ssm.headDim();
        long states = 2 * tokens * ssm.heads() * ssm.headDim() * ssm.stateDim();
        return 2 * (scores + inside + states);
    }

    @Override
    public String label() {
        return ssm.label();
    }
}
