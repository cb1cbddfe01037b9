package layerwise.op;

import java.util.List;

/**
 * {@code y = a + b}, rounded once.
 *
 * @param a {@code [T,H]}
 * @param b {@code [T,H]}
 * @param y {@code [T,H]}
 */
public record Add(TensorRef a, TensorRef b, TensorRef y) implements Operator {
    public Add {
        Expect.rank("Add", "a", a, 2);
        Expect.shape("Add", "b", b, a.dim(0), a.dim(1));
        Expect.shape("Add", "y", y, a.dim(0), a.dim(1));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(a, b);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return new Work(a.shape().elements(), a.bytes() + b.bytes() + y.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(a.dim(0), a.dim(1));
    }
}
