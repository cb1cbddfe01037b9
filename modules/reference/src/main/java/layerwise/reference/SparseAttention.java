package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.SparseMlaAttention;
import layerwise.op.TensorRef;

/** Latent attention over chosen rows, a worker for each token. */
final class SparseAttention {
    private final Function<TensorRef, Operand> operands;
    private final Sampling sampling;

    SparseAttention(Function<TensorRef, Operand> operands, Sampling sampling) {
        this.operands = operands;
        this.sampling = sampling;
    }

    void run(SparseMlaAttention op) {
        Operand q = operands.apply(op.q());
        Operand out = operands.apply(op.out());
        Operand rows = operands.apply(op.rows());
        LatentRows cache = new LatentRows(operands.apply(op.cache()), out.width(), q.width() - out.width());
        int heads = (int) op.q().dim(1);
        Sample sample = sampling.of(op, out.rows());
        IntStream.range(0, Math.toIntExact(op.q().dim(0))).parallel().forEach(t -> {
            int[] own = sample.rows(0, t * heads, (t + 1) * heads);
            if (own.length == 0) {
                return;
            }
            int[] chosen = IntStream.range(0, rows.width())
                    .map(j -> rows.getInt(t, j))
                    .filter(row -> row >= 0)
                    .toArray();
            float[][] values = new float[chosen.length][];
            double[][] keys = new double[chosen.length][];
            for (int s = 0; s < chosen.length; s++) {
                values[s] = cache.row(chosen[s]);
                keys[s] = Sums.widened(values[s]);
            }
            ScaledDotProduct.attend(RowBlock.of(q::row, own), row -> chosen.length, op.scale(), keys, values, 0, out);
        });
    }
}
