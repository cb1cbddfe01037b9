package layerwise.op;

import java.util.List;

/**
 * {@code y[t,h] = x[t,h] · gain[h] / sqrt(mean_h(x²) + ε)}, statistics in float32 (Zhang and Sennrich 2019, eq. 4).
 *
 * @param x {@code [T,H]}, rows may have gaps
 * @param gain {@code [H]}
 * @param y {@code [T,H]}, rows may have gaps
 */
public record RmsNorm(TensorRef x, TensorRef gain, TensorRef y, double epsilon) implements Operator {
    public RmsNorm {
        Expect.rank("RmsNorm", "x", x, 2);
        Expect.shape("RmsNorm", "gain", gain, x.dim(1));
        Expect.shape("RmsNorm", "y", y, x.dim(0), x.dim(1));
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
        return "%dx%d".formatted(x.dim(0), x.dim(1));
    }
}
