package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.TensorRef;

/** Attention of grouped queries over contiguous and over paged keys and values, one worker per query and head. */
final class GqaAttention {
    private final Function<TensorRef, Operand> operands;

    GqaAttention(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(GqaPrefillAttention op) {
        float[][] k = operands.apply(op.k()).decode();
        float[][] v = operands.apply(op.v()).decode();
        int kvHeads = (int) op.k().dim(1);
        Batch batch = op.paged().batch();
        int firstToken = 0;
        int firstKey = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int keys = batch.past().get(b) + batch.queries().get(b);
            float[][][] rows = new float[kvHeads][keys][];
            float[][][] values = new float[kvHeads][keys][];
            for (int g = 0; g < kvHeads; g++) {
                for (int s = 0; s < keys; s++) {
                    rows[g][s] = k[(firstKey + s) * kvHeads + g];
                    values[g][s] = v[(firstKey + s) * kvHeads + g];
                }
            }
            attend(
                    op.q(),
                    op.out(),
                    op.scale(),
                    firstToken,
                    batch.queries().get(b),
                    batch.past().get(b),
                    rows,
                    values);
            firstToken += batch.queries().get(b);
            firstKey += keys;
        }
    }

    void run(GqaDecodeAttention op) {
        Operand cache = operands.apply(op.cache());
        Operand pageTable = operands.apply(op.paged().pageTable());
        int kvHeads = op.kvHeads();
        int headDim = (int) op.q().dim(2);
        Batch batch = op.paged().batch();
        int firstToken = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int keys = batch.past().get(b) + batch.queries().get(b);
            float[][][] rows = new float[kvHeads][keys][headDim];
            float[][][] values = new float[kvHeads][keys][headDim];
            for (int s = 0; s < keys; s++) {
                float[] row = cache.row(LatentCaches.poolRow(pageTable, op.cache(), b, s));
                for (int g = 0; g < kvHeads; g++) {
                    System.arraycopy(row, g * headDim, rows[g][s], 0, headDim);
                    System.arraycopy(row, (kvHeads + g) * headDim, values[g][s], 0, headDim);
                }
            }
            attend(
                    op.q(),
                    op.out(),
                    op.scale(),
                    firstToken,
                    batch.queries().get(b),
                    batch.past().get(b),
                    rows,
                    values);
            firstToken += batch.queries().get(b);
        }
    }

    /** One sequence; {@code keys} and {@code values} by key/value head and position. */
    private void attend(
            TensorRef q,
            TensorRef out,
            double scale,
            int firstToken,
            int tokens,
            int past,
            float[][][] keys,
            float[][][] values) {
        Operand queries = operands.apply(q);
        Operand result = operands.apply(out);
        int heads = (int) q.dim(1);
        int headDim = (int) q.dim(2);
        int group = heads / keys.length;
        IntStream.range(0, tokens * heads).parallel().forEach(at -> {
            int g = at % heads / group;
            float[] query = queries.row((long) firstToken * heads + at);
            double[] weights = new double[past + at / heads + 1];
            for (int s = 0; s < weights.length; s++) {
                weights[s] = scale * Sums.dot(query, keys[g][s]);
            }
            Sums.softmax(weights);
            double[] sum = new double[headDim];
            for (int s = 0; s < weights.length; s++) {
                for (int d = 0; d < headDim; d++) {
                    sum[d] += weights[s] * values[g][s][d];
                }
            }
            result.writeRow((long) firstToken * heads + at, sum);
        });
    }
}
