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
 * @param rows  rows of y that have a pair, for the cost
 */
public record GatherRows(TensorRef x, TensorRef pairs, TensorRef y, int topK, long rows) implements Operator {
    public GatherRows {
        Expect.rank("GatherRows", "x", x, 2);
        Expect.dtype("GatherRows", "pairs", pairs, DType.I32);
        Expect.shape("GatherRows", "pairs", pairs, x.dim(0) * topK);
        Expect.shape("GatherRows", "y", y, pairs.dim(0), x.dim(1));
        Expect.that(rows >= 0 && rows <= y.dim(0), "GatherRows: %d rows in use of %d", rows, y.dim(0));
    }

    /** Every row has a pair: all experts live here. */
    public GatherRows(TensorRef x, TensorRef pairs, TensorRef y, int topK) {
        this(x, pairs, y, topK, y.dim(0));
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
        long tokens = Math.min(x.dim(0), rows);
        long bytes = x.dtype().bytes(tokens * x.dim(1))
                + pairs.dtype().bytes(rows)
                + y.dtype().bytes(rows * y.dim(1));
        return new Work(0, bytes, Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(rows, y.dim(1));
    }
}
