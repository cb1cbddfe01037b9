package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * The lightning indexer's scores of cached positions for some of the step's tokens:
 *
 * <pre>{@code out[t,s] = scale[s] · Σ_h weights[t,h] · max(0, q[t,h] · key[s])     for s up to the token's position}</pre>
 *
 * What lies beyond a token's position is left as it was. The step's own keys are in the cache already.
 *
 * @param q       {@code [N,Q,D]}, of the type of the keys
 * @param weights {@code [N,Q]} float32
 * @param keys    the cache
 * @param out     {@code [N,S]} float32, S the longest sequence; rows may have gaps
 * @param first   the step's token that row 0 stands for
 */
public record IndexLogits(TensorRef q, TensorRef weights, IndexKeys keys, TensorRef out, PagedBatch paged, int first)
        implements Operator {
    public IndexLogits {
        Expect.rank("IndexLogits", "q", q, 3);
        Expect.shape("IndexLogits", "q", q, q.dim(0), q.dim(1), keys.dim());
        Expect.dtype("IndexLogits", "q", q, keys.elements().dtype());
        Expect.shape("IndexLogits", "weights", weights, q.dim(0), q.dim(1));
        Expect.dtype("IndexLogits", "weights", weights, DType.F32);
        Expect.shape("IndexLogits", "out", out, q.dim(0), paged.batch().longest());
        Expect.dtype("IndexLogits", "out", out, DType.F32);
        Expect.that(
                first >= 0 && first + q.dim(0) <= paged.batch().tokens(),
                "IndexLogits: tokens %d to %d of %d",
                first,
                first + q.dim(0) - 1,
                paged.batch().tokens());
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.addAll(keys.tensors());
        all.addAll(List.of(q, weights));
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(out);
    }

    @Override
    public Work work() {
        Batch.Reach reach = paged.batch().reach(first, Math.toIntExact(q.dim(0)));
        return new Work(
                2 * q.dim(1) * q.dim(2) * reach.pairs(),
                q.bytes()
                        + weights.bytes()
                        + keys.bytes(reach.context())
                        + out.dtype().bytes(reach.pairs()),
                keys.quantised() ? Arithmetic.FP8 : Arithmetic.F32);
    }

    @Override
    public String label() {
        return "B%d T%d+%d S%d Q%d D%d %s"
                .formatted(
                        paged.batch().sequences(),
                        first,
                        q.dim(0),
                        paged.batch().longest(),
                        q.dim(1),
                        q.dim(2),
                        q.dtype());
    }
}
