package layerwise.op;

import java.util.List;

/**
 * {@code y[t,g,d] = x[t,g,d] / sqrt(Σ_d x² + ε)}, the sum in float32.
 *
 * @param x {@code [T,G,D]}
 * @param y {@code [T,G,D]}
 */
public record L2Norm(TensorRef x, TensorRef y, double epsilon) implements Operator {
    public L2Norm {
        Expect.rank("L2Norm", "x", x, 3);
        Expect.shape("L2Norm", "y", y, x.dim(0), x.dim(1), x.dim(2));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return new Work(3 * x.shape().elements(), x.bytes() + y.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%dx%d".formatted(x.dim(0), x.dim(1), x.dim(2));
    }
}
