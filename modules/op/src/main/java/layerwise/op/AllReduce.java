package layerwise.op;

import java.util.List;

/**
 * {@code y = Σ_r x_r} on every rank: the parts that ranks computed of one tensor, added up in rank order, rounded once.
 *
 * @param x     {@code [T,H]}, contiguous
 * @param y     {@code [T,H]}, contiguous, of x's type
 * @param group who adds
 */
public record AllReduce(TensorRef x, TensorRef y, RankGroup group) implements Operator {
    public AllReduce {
        Expect.rank("AllReduce", "x", x, 2);
        Expect.shape("AllReduce", "y", y, x.dim(0), x.dim(1));
        Expect.dtype("AllReduce", "y", y, x.dtype());
        Expect.contiguous("AllReduce", x, y);
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    /** Over links: a reduce-scatter and an all-gather of {@code (R−1)/R} of the tensor each. */
    @Override
    public Work work() {
        int ranks = group.size();
        long links = 2 * x.bytes() * (ranks - 1) / ranks;
        return new Work(x.shape().elements() * (ranks - 1) / ranks, x.bytes() + y.bytes(), links, Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d %s R%d".formatted(x.dim(0), x.dim(1), x.dtype(), group.size());
    }
}
