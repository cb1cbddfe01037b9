package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * {@code y[p] = x[pairs[p] / k]}: each token's row once for every expert that takes it. Rows without a pair are left.
 *
 * @param x     {@code [T,H]}
 * @param pairs {@code [P]} int32, from {@link SortByExpert}
 * @param y     {@code [P,H]}
 * @param topK  k
 */
public record GatherRows(TensorRef x, TensorRef pairs, TensorRef y, int topK) implements Operator {
    public GatherRows {
        Expect.rank("GatherRows", "x", x, 2);
        Expect.dtype("GatherRows", "pairs", pairs, DType.I32);
        Expect.shape("GatherRows", "pairs", pairs, x.dim(0) * topK);
        Expect.shape("GatherRows", "y", y, pairs.dim(0), x.dim(1));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, pairs);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return new Work(0, x.bytes() + pairs.bytes() + y.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(y.dim(0), y.dim(1));
    }
}
