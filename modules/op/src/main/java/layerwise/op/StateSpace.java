package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * The selective state-space recurrence of Mamba-2 (Dao and Gu 2024, §2 and §6), one scalar decay for each head:
 *
 * <pre>{@code
 * Δ = softplus(dt[t,h] + dtBias[h])          A = −exp(aLog[h])          group g of head h
 * state[h] ← exp(Δ·A) · state[h] + Δ · x[t,h] ⊗ b[t,g]
 * y[t,h]   = state[h] · c[t,g] + d[h] · x[t,h]
 * }</pre>
 *
 * <p>Sums are float32 or better; {@code y} is of the state before it is rounded to its stored type. A sequence without a
 * past starts from zero, whatever its state holds.
 *
 * @param x      {@code [T,Q,D]}
 * @param b      {@code [T,G,N]}, G divides Q
 * @param c      {@code [T,G,N]}
 * @param dt     {@code [T,Q]}
 * @param aLog   {@code [Q]} float32
 * @param dtBias {@code [Q]} float32
 * @param d      {@code [Q]} float32
 * @param state  {@code [slots,Q,D,N]}, read and written
 * @param y      {@code [T,Q,D]}
 */
public record StateSpace(
        TensorRef x,
        TensorRef b,
        TensorRef c,
        TensorRef dt,
        TensorRef aLog,
        TensorRef dtBias,
        TensorRef d,
        TensorRef state,
        TensorRef y,
        PagedBatch paged) {
    public StateSpace {
        Expect.rank("StateSpace", "x", x, 3);
        Expect.rank("StateSpace", "b", b, 3);
        long tokens = paged.batch().tokens();
        long heads = x.dim(1);
        Expect.shape("StateSpace", "x", x, tokens, heads, x.dim(2));
        Expect.shape("StateSpace", "b", b, tokens, b.dim(1), b.dim(2));
        Expect.shape("StateSpace", "c", c, tokens, b.dim(1), b.dim(2));
        Expect.shape("StateSpace", "dt", dt, tokens, heads);
        for (TensorRef each : List.of(aLog, dtBias, d)) {
            Expect.shape("StateSpace", each.buffer().name(), each, heads);
            Expect.dtype("StateSpace", each.buffer().name(), each, DType.F32);
        }
        Expect.rank("StateSpace", "state", state, 4);
        Expect.shape("StateSpace", "state", state, state.dim(0), heads, x.dim(2), b.dim(2));
        Expect.shape("StateSpace", "y", y, tokens, heads, x.dim(2));
        Expect.that(heads % b.dim(1) == 0, "StateSpace: %d heads in %d groups", heads, b.dim(1));
    }

    /** Q. */
    public int heads() {
        return (int) x.dim(1);
    }

    /** D. */
    public int headDim() {
        return (int) x.dim(2);
    }

    /** G. */
    public int groups() {
        return (int) b.dim(1);
    }

    /** N. */
    public int stateDim() {
        return (int) b.dim(2);
    }

    List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.states());
        all.addAll(List.of(x, b, c, dt, aLog, dtBias, d, state));
        return List.copyOf(all);
    }

    List<TensorRef> outputs() {
        return List.of(y, state);
    }

    long bytes() {
        long parameters = aLog.bytes() + dtBias.bytes() + d.bytes();
        return x.bytes() + b.bytes() + c.bytes() + dt.bytes() + parameters + y.bytes() + paged.stateBytes(state);
    }

    String label() {
        return "B%d T%d Q%d D%d G%d N%d %s"
                .formatted(
                        paged.batch().sequences(), x.dim(0), heads(), headDim(), groups(), stateDim(), state.dtype());
    }
}
