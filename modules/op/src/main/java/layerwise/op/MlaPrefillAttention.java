package layerwise.op;

import java.util.List;

/**
 * Causal attention of MLA in its expanded form: keys are {@code [noPe ‖ rope]}, the rope part shared by all heads.
 *
 * <p>Keys and values of all sequences lie one after the other, past tokens first; new token {@code i} of a sequence
 * sees positions {@code 0 .. past+i}.
 *
 * @param q      {@code [T,Q,Dn+Dr]}
 * @param kv     {@code [S,Q,Dn+Dv]}: keys without position, then values
 * @param kRope  {@code [S,Dr]}
 * @param out    {@code [T,Q,Dv]}
 * @param scale  of the scores before the softmax
 */
public record MlaPrefillAttention(
        TensorRef q, TensorRef kv, TensorRef kRope, TensorRef out, PagedBatch paged, double scale) implements Operator {
    public MlaPrefillAttention {
        Expect.rank("MlaPrefillAttention", "q", q, 3);
        Expect.rank("MlaPrefillAttention", "kRope", kRope, 2);
        Expect.rank("MlaPrefillAttention", "out", out, 3);
        long noPe = q.dim(2) - kRope.dim(1);
        Expect.shape("MlaPrefillAttention", "q", q, paged.batch().tokens(), q.dim(1), q.dim(2));
        Expect.shape("MlaPrefillAttention", "kv", kv, paged.batch().context(), q.dim(1), noPe + out.dim(2));
        Expect.shape("MlaPrefillAttention", "kRope", kRope, kv.dim(0), kRope.dim(1));
        Expect.shape("MlaPrefillAttention", "out", out, q.dim(0), q.dim(1), out.dim(2));
    }

    /** Head dimension of queries and keys without the rotated part. */
    public int noPeDim() {
        return (int) (q.dim(2) - kRope.dim(1));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(q, kv, kRope, paged.starts(), paged.past());
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(out);
    }

    @Override
    public Work work() {
        return new Work(
                2 * q.dim(1) * (q.dim(2) + out.dim(2)) * paged.batch().visiblePairs(),
                q.bytes() + kv.bytes() + kRope.bytes() + out.bytes(),
                Arithmetic.BF16);
    }

    @Override
    public String label() {
        return "B%d T%d S%d Q%d D%d/%d"
                .formatted(
                        paged.batch().sequences(), q.dim(0), paged.batch().longest(), q.dim(1), q.dim(2), out.dim(2));
    }
}
