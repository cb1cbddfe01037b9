package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * Makes the lightning indexer's key of each token and writes it into the paged cache at the token's position: LayerNorm
 * with gain and bias, rotation of the first Dr elements in halves, and for E4M3 what {@link IndexQuery} does.
 *
 * @param k       {@code [T,D]}
 * @param gain    {@code [D]} float32
 * @param bias    {@code [D]} float32
 * @param table   {@code [positions, 2, Dr/2]} float32: cosines, then sines
 * @param keys    the cache
 * @param epsilon of the norm
 */
public record IndexKeyAppend(
        TensorRef k, TensorRef gain, TensorRef bias, TensorRef table, IndexKeys keys, PagedBatch paged, double epsilon)
        implements Operator {
    public IndexKeyAppend {
        Expect.shape("IndexKeyAppend", "k", k, paged.batch().tokens(), keys.dim());
        Expect.shape("IndexKeyAppend", "gain", gain, keys.dim());
        Expect.shape("IndexKeyAppend", "bias", bias, keys.dim());
        Expect.dtype("IndexKeyAppend", "gain", gain, DType.F32);
        Expect.dtype("IndexKeyAppend", "bias", bias, DType.F32);
        Expect.rank("IndexKeyAppend", "table", table, 3);
        Expect.that(2 * table.dim(2) <= keys.dim(), "IndexKeyAppend: rotation of %d in %s", 2 * table.dim(2), k);
        IndexQuery.requireHadamard("IndexKeyAppend", keys.elements());
    }

    @Override
    public List<TensorRef> inputs() {
        List<TensorRef> all = new ArrayList<>(paged.tables());
        all.addAll(List.of(k, gain, bias, table));
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return keys.tensors();
    }

    @Override
    public Work work() {
        return new Work(
                8 * k.shape().elements(),
                k.bytes() + gain.bytes() + bias.bytes() + keys.bytes(k.dim(0)),
                Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d %s".formatted(k.dim(0), k.dim(1), keys.elements().dtype());
    }
}
