package layerwise.op;

import java.util.List;

/**
 * {@code y[t,h] = x[t,h] · gain[h] / sqrt(mean_h(x²) + ε)}, statistics in float32 (Zhang and Sennrich 2019, eq. 4).
 *
 * @param x {@code [T,H]}, or {@code [T,Q,H]} where each head has a norm; rows may have gaps
 * @param gain {@code [H]}
 * @param y of x's shape, rows may have gaps
 */
public record RmsNorm(TensorRef x, TensorRef gain, TensorRef y, double epsilon) implements Operator {
    public RmsNorm {
        Expect.that(x.rank() == 2 || x.rank() == 3, "RmsNorm: x must have 2 or 3 axes but is %s", x);
        Expect.shape("RmsNorm", "gain", gain, x.dim(-1));
        Expect.shape("RmsNorm", "y", y, x.shape().dims());
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, gain);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return new Work(4 * x.shape().elements(), x.bytes() + gain.bytes() + y.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return x.rank() == 2
                ? "%dx%d".formatted(x.dim(0), x.dim(1))
                : "%dx%dx%d".formatted(x.dim(0), x.dim(1), x.dim(2));
    }
}
