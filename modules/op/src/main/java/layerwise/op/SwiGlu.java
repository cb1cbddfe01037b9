package layerwise.op;

import java.util.List;
import java.util.Optional;

/**
 * {@code y[t,i] = silu(x[t,i]) · x[t,I+i]}: the gate's columns lie before those of the other half.
 *
 * @param x      {@code [T,2I]}
 * @param active one int32 that holds the number of rows in use at its end, where not all of T are: the last element of
 *               {@link SortByExpert}'s offsets
 * @param y      {@code [T,I]}
 */
public record SwiGlu(TensorRef x, Optional<TensorRef> active, TensorRef y) implements Operator {
    public SwiGlu {
        Expect.rank("SwiGlu", "x", x, 2);
        Expect.rank("SwiGlu", "y", y, 2);
        Expect.shape("SwiGlu", "x", x, y.dim(0), 2 * y.dim(1));
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
        return new Work(5 * y.shape().elements(), x.bytes() + y.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(y.dim(0), y.dim(1));
    }
}
