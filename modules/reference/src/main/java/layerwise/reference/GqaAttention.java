package layerwise.reference;

import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.TensorRef;

/** Grouped-query attention, one worker for each query head of a token. */
final class GqaAttention {
    private final Function<TensorRef, Operand> operands;

    GqaAttention(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(GqaPrefillAttention op) {
        Operand q = operands.apply(op.q());
        Operand k = operands.apply(op.k());
        Operand v = operands.apply(op.v());
        Operand out = operands.apply(op.out());
        int heads = (int) op.k().dim(1);
        Batch batch = op.paged().batch();
        int firstToken = 0;
        int firstKey = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int length = batch.past().get(b) + batch.queries().get(b);
            for (int g = 0; g < heads; g++) {
                float[][] keys = new float[length][];
                float[][] values = new float[length][];
                for (int s = 0; s < length; s++) {
                    long row = (long) (firstKey + s) * heads + g;
                    keys[s] = k.row(row);
                    values[s] = v.row(row);
                }
                attend(q, out, op.group(), heads, g, keys, values, batch, b, firstToken, op.scale());
            }
            firstToken += batch.queries().get(b);
            firstKey += length;
        }
    }

    void run(GqaDecodeAttention op) {
        Operand q = operands.apply(op.q());
        Operand cache = operands.apply(op.cache());
        Operand out = operands.apply(op.out());
        Operand pageTable = operands.apply(op.paged().pageTable());
        int heads = op.kvHeads();
        int width = (int) op.q().dim(2);
        Batch batch = op.paged().batch();
        int firstToken = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int length = batch.past().get(b) + batch.queries().get(b);
            float[][] rows = new float[length][];
            for (int s = 0; s < length; s++) {
                rows[s] = cache.row(LatentCaches.poolRow(pageTable, op.cache(), b, s));
            }
            for (int g = 0; g < heads; g++) {
                float[][] keys = columns(rows, g * width, width);
                float[][] values = columns(rows, (heads + g) * width, width);
                attend(q, out, op.group(), heads, g, keys, values, batch, b, firstToken, op.scale());
            }
            firstToken += batch.queries().get(b);
        }
    }

    private static float[][] columns(float[][] rows, int from, int width) {
        return Arrays.stream(rows)
                .map(row -> Arrays.copyOfRange(row, from, from + width))
                .toArray(float[][]::new);
    }

    /** The query heads of one key/value head, for the new tokens of one sequence. */
    private static void attend(
            Operand q,
            Operand out,
            int group,
            int kvHeads,
            int kvHead,
            float[][] keys,
            float[][] values,
            Batch batch,
            int sequence,
            int firstToken,
            double scale) {
        int past = batch.past().get(sequence);
        IntStream.range(0, batch.queries().get(sequence) * group).parallel().forEach(at -> {
            int i = at / group;
            long row = ((long) firstToken + i) * group * kvHeads + (long) kvHead * group + at % group;
            out.writeRow(row, attended(q.row(row), keys, values, past + i + 1, scale));
        });
    }

    private static float[] attended(float[] query, float[][] keys, float[][] values, int visible, double scale) {
        double[] scores = new double[visible];
        double[] wide = Sums.widened(query);
        double max = Double.NEGATIVE_INFINITY;
        for (int s = 0; s < visible; s++) {
            scores[s] = scale * Sums.dot(keys[s], wide);
            max = Math.max(max, scores[s]);
        }
        double total = 0;
        double[] sum = new double[query.length];
        for (int s = 0; s < visible; s++) {
            double weight = Math.exp(scores[s] - max);
            total += weight;
            for (int d = 0; d < sum.length; d++) {
                sum[d] += weight * values[s][d];
            }
        }
        float[] out = new float[sum.length];
        for (int d = 0; d < out.length; d++) {
            out[d] = (float) (sum[d] / total);
        }
        return out;
    }
}
