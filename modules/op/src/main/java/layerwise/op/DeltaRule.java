package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * The gated delta rule (Yang, Kautz and Hatamizadeh 2024, eq. 10): a linear-attention state that decays, and that each
 * token corrects towards its value.
 *
 * <pre>{@code
 * β = sigmoid(b[t,h])      α = exp(−exp(aLog[h]) · softplus(a[t,h] + dtBias[h]))      key head g of value head h
 * state[h] ← α · state[h]
 * state[h] ← state[h] + k[t,g] ⊗ β · (v[t,h] − state[h]ᵀ · k[t,g])
 * out[t,h] = state[h]ᵀ · q[t,g] · scale
 * }</pre>
 *
 * <p>Sums are float32 or better; {@code out} is of the state before it is rounded to its stored type. A sequence without
 * a past starts from zero, whatever its state holds.
 *
 * @param q      {@code [T,G,K]}, normalised
 * @param k      {@code [T,G,K]}, normalised
 * @param v      {@code [T,Q,D]}, G divides Q
 * @param a      {@code [T,Q]}
 * @param b      {@code [T,Q]}
 * @param aLog   {@code [Q]} float32
 * @param dtBias {@code [Q]} float32
 * @param state  {@code [slots,Q,K,D]}, read and written
 * @param out    {@code [T,Q,D]}
 */
public record DeltaRule(
        TensorRef q,
        TensorRef k,
        TensorRef v,
        TensorRef a,
        TensorRef b,
        TensorRef aLog,
        TensorRef dtBias,
        TensorRef state,
        TensorRef out,
        PagedBatch paged,
        double scale) {
    public DeltaRule {
        Expect.rank("DeltaRule", "q", q, 3);
        Expect.rank("DeltaRule", "v", v, 3);
        long tokens = paged.batch().tokens();
        long heads = v.dim(1);
        Expect.shape("DeltaRule", "q", q, tokens, q.dim(1), q.dim(2));
        Expect.shape("DeltaRule", "k", k, tokens, q.dim(1), q.dim(2));
        Expect.shape("DeltaRule", "v", v, tokens, heads, v.dim(2));
        Expect.shape("DeltaRule", "a", a, tokens, heads);
        Expect.shape("DeltaRule", "b", b, tokens, heads);
        for (TensorRef each : List.of(aLog, dtBias)) {
            Expect.shape("DeltaRule", each.buffer().name(), each, heads);
            Expect.dtype("DeltaRule", each.buffer().name(), each, DType.F32);
        }
        Expect.rank("DeltaRule", "state", state, 4);
        Expect.shape("DeltaRule", "state", state, state.dim(0), heads, q.dim(2), v.dim(2));
        Expect.shape("DeltaRule", "out", out, tokens, heads, v.dim(2));
        Expect.that(heads % q.dim(1) == 0, "DeltaRule: %d value heads for %d key heads", heads, q.dim(1));
    }

    /** Q. */
    public int valueHeads() {
        return (int) v.dim(1);
    }

    /** G. */
    public int keyHeads() {
        return (int) q.dim(1);
    }

    /** K. */
    public int keyDim() {
        return (int) q.dim(2);
    }

    /** D. */
    public int valueDim() {
        return (int) v.dim(2);
    }

    List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.states());
        all.addAll(List.of(q, k, v, a, b, aLog, dtBias, state));
        return List.copyOf(all);
    }

    List<TensorRef> outputs() {
        return List.of(out, state);
    }

    long bytes() {
        long gates = a.bytes() + b.bytes() + aLog.bytes() + dtBias.bytes();
        return q.bytes() + k.bytes() + v.bytes() + gates + out.bytes() + paged.stateBytes(state);
    }

    String label() {
        return "B%d T%d G%d Q%d K%d D%d %s"
                .formatted(
                        paged.batch().sequences(),
                        v.dim(0),
                        keyHeads(),
                        valueHeads(),
                        keyDim(),
                        valueDim(),
                        state.dtype());
    }
}
