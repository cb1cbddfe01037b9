package layerwise.op;

import java.util.List;

/**
 * {@link RmsNorm} of groups of a row, and a gate {@code silu(z)} before or after it:
 *
 * <pre>{@code
 * GATE_FIRST  y[t,g,d] = gain · v / sqrt(mean_d(v²) + ε)   with v = x[t,g,d] · silu(z[t,g,d])
 * NORM_FIRST  y[t,g,d] = gain · x / sqrt(mean_d(x²) + ε) · silu(z[t,g,d])
 * }</pre>
 *
 * @param x    {@code [T,G,D]}
 * @param z    {@code [T,G,D]}
 * @param gain {@code [G·D]}, or {@code [D]} for all groups
 * @param y    {@code [T,G,D]}
 */
public record GatedRmsNorm(TensorRef x, TensorRef z, TensorRef gain, TensorRef y, double epsilon, Order order)
        implements Operator {
    /** What comes first. */
    public enum Order {
        /** As in Mamba-2. */
        GATE_FIRST,
        /** As in Qwen3-Next's DeltaNet. */
        NORM_FIRST
    }

    public GatedRmsNorm {
        Expect.rank("GatedRmsNorm", "x", x, 3);
        Expect.shape("GatedRmsNorm", "z", z, x.dim(0), x.dim(1), x.dim(2));
        Expect.shape("GatedRmsNorm", "y", y, x.dim(0), x.dim(1), x.dim(2));
        Expect.rank("GatedRmsNorm", "gain", gain, 1);
        Expect.that(
                gain.dim(0) == x.dim(2) || gain.dim(0) == x.dim(1) * x.dim(2),
                "GatedRmsNorm: gain must have %d or %d elements but is %s",
                x.dim(2),
                x.dim(1) * x.dim(2),
                gain);
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, z, gain);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        return new Work(9 * x.shape().elements(), x.bytes() + z.bytes() + gain.bytes() + y.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%dx%d".formatted(x.dim(0), x.dim(1), x.dim(2));
    }
}
