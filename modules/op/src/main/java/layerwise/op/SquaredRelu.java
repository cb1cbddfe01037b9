package layerwise.op;

import java.util.List;
import java.util.Optional;

/**
 * {@code y[t,i] = max(0, x[t,i])²} (So et al. 2021).
 *
 * @param x      {@code [T,I]}
 * @param active one int32 that holds the number of rows in use at its end, where not all of T are: the last element of
 *               {@link SortByExpert}'s offsets
 * @param y      {@code [T,I]}
 * @param rows   rows in use, for the cost
 */
public record SquaredRelu(TensorRef x, Optional<TensorRef> active, TensorRef y, long rows) implements Operator {
    public SquaredRelu {
        Expect.rank("SquaredRelu", "x", x, 2);
        Expect.shape("SquaredRelu", "y", y, x.dim(0), x.dim(1));
        Expect.that(rows >= 0 && rows <= y.dim(0), "SquaredRelu: %d rows in use of %d", rows, y.dim(0));
    }

    /** Every row is in use. */
    public SquaredRelu(TensorRef x, Optional<TensorRef> active, TensorRef y) {
        this(x, active, y, y.dim(0));
    }

    @Override
    public List<TensorRef> inputs() {
        return active.map(offsets -> List.of(x, offsets)).orElse(List.of(x));
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        long elements = rows * y.dim(1);
        return new Work(2 * elements, x.dtype().bytes(elements) + y.dtype().bytes(elements), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(rows, y.dim(1));
    }
}
