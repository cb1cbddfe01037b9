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
 */
public record SquaredRelu(TensorRef x, Optional<TensorRef> active, TensorRef y) implements Operator {
    public SquaredRelu {
        Expect.rank("SquaredRelu", "x", x, 2);
        Expect.shape("SquaredRelu", "y", y, x.dim(0), x.dim(1));
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
        return new Work(2 * y.shape().elements(), x.bytes() + y.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(y.dim(0), y.dim(1));
    }
}
