package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * {@code y[p] = x[pairs[p] / k]}: each token's row once for every expert that takes it, rounded rows with
 * their scales. Rows without a pair are left.
 *
 * @param x     {@code [T,H]}
 * @param pairs {@code [P]} int32, from {@link SortByExpert}
 * @param y     {@code [P,H]}
 * @param topK  k
 * @param rows  rows of y that have a pair, for the cost
 */
public record GatherRows(Activations x, TensorRef pairs, Activations y, int topK, long rows) implements Operator {
    public GatherRows {
        Expect.dtype("GatherRows", "pairs", pairs, DType.I32);
        Expect.shape("GatherRows", "pairs", pairs, x.rows() * topK);
        Expect.shape("GatherRows", "y", y.data(), pairs.dim(0), x.width());
        Expect.dtype("GatherRows", "y", y.data(), x.data().dtype());
        Expect.that(x.isRounded() == y.isRounded(), "GatherRows: %s to %s", x, y);
        Expect.that(rows >= 0 && rows <= y.rows(), "GatherRows: %d rows in use of %d", rows, y.rows());
    }

    /** Every row has a pair: all experts live here. */
    public GatherRows(Activations x, TensorRef pairs, Activations y, int topK) {
        this(x, pairs, y, topK, y.rows());
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(x.tensors());
        all.add(pairs);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return y.tensors();
    }

    @Override
    public Work work() {
        long tokens = Math.min(x.rows(), rows);
        return new Work(0, x.bytes(tokens) + pairs.dtype().bytes(rows) + y.bytes(rows), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d%s".formatted(rows, y.width(), y.isRounded() ? " e4m3" : "");
    }
}
