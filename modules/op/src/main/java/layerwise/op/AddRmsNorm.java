package layerwise.op;

import java.util.List;

/**
 * {@link Add} and {@link RmsNorm} of its sum in one pass: {@code sum = x + residual}, {@code y = norm(sum) · gain}.
 *
 * <p>The norm is taken of the sum as stored, so the result is that of the two operators.
 *
 * @param x        {@code [T,H]}
 * @param residual {@code [T,H]}
 * @param gain     {@code [H]}
 * @param sum      {@code [T,H]}
 * @param y        {@code [T,H]}
 */
public record AddRmsNorm(TensorRef x, TensorRef residual, TensorRef gain, TensorRef sum, TensorRef y, double epsilon)
        implements Operator {
    public AddRmsNorm {
        Expect.rank("AddRmsNorm", "x", x, 2);
        Expect.shape("AddRmsNorm", "residual", residual, x.dim(0), x.dim(1));
        Expect.shape("AddRmsNorm", "gain", gain, x.dim(1));
        Expect.shape("AddRmsNorm", "sum", sum, x.dim(0), x.dim(1));
        Expect.shape("AddRmsNorm", "y", y, x.dim(0), x.dim(1));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, residual, gain);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(sum, y);
    }

    @Override
    public Work work() {
        return new Work(
                5 * x.shape().elements(),
                x.bytes() + residual.bytes() + gain.bytes() + sum.bytes() + y.bytes(),
                Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(x.dim(0), x.dim(1));
    }
}
