package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Causal convolution of each channel by itself along a sequence, then SiLU:
 * {@code y[t,i] = silu(bias[i] + Σ_j w[i,j] · x[t−K+1+j,i])}.
 *
 * <p>Inputs before a sequence's first new token come from its state; they are zero where it has no past. Afterwards the
 * state holds the last K−1 inputs.
 *
 * @param x     {@code [T,I]}, rows may have gaps
 * @param w     {@code [I,K]}, the last column meets the current token
 * @param bias  {@code [I]}
 * @param state {@code [slots,I,K-1]}, oldest input first, read and written
 * @param y     {@code [T,I]}
 */
public record CausalConv1d(
        TensorRef x, TensorRef w, Optional<TensorRef> bias, TensorRef state, TensorRef y, PagedBatch paged)
        implements Operator {
    public CausalConv1d {
        Expect.rank("CausalConv1d", "x", x, 2);
        Expect.rank("CausalConv1d", "w", w, 2);
        Expect.rank("CausalConv1d", "state", state, 3);
        long channels = x.dim(1);
        Expect.shape("CausalConv1d", "x", x, paged.batch().tokens(), channels);
        Expect.shape("CausalConv1d", "w", w, channels, w.dim(1));
        bias.ifPresent(b -> Expect.shape("CausalConv1d", "bias", b, channels));
        Expect.shape("CausalConv1d", "state", state, state.dim(0), channels, w.dim(1) - 1);
        Expect.shape("CausalConv1d", "y", y, x.dim(0), channels);
    }

    /** K. */
    public int width() {
        return (int) w.dim(1);
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.states());
        all.addAll(List.of(x, w, state));
        bias.ifPresent(all::add);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y, state);
    }

    @Override
    public Work work() {
        long bytes = x.bytes() + w.bytes() + bias.map(TensorRef::bytes).orElse(0L) + y.bytes();
        return new Work(2 * x.shape().elements() * w.dim(1), bytes + paged.stateBytes(state), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "B%d %dx%d k%d".formatted(paged.batch().sequences(), x.dim(0), x.dim(1), w.dim(1));
    }
}
