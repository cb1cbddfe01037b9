package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.TensorRef;

/** Both forms of multi-head latent attention, one worker per query head. */
final class MlaAttention {
    private final Function<TensorRef, Operand> operands;

    MlaAttention(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(MlaPrefillAttention op) {
        float[][] q = operands.apply(op.q()).decode();
        float[][] kv = operands.apply(op.kv()).decode();
        float[][] kRope = operands.apply(op.kRope()).decode();
        Operand out = operands.apply(op.out());
        int heads = (int) op.q().dim(1);
        int noPe = op.noPeDim();
        int rope = (int) op.kRope().dim(1);
        int values = out.width();
        Batch batch = op.paged().batch();
        IntStream.range(0, heads).parallel().forEach(h -> {
            int token = 0;
            int firstKey = 0;
            for (int b = 0; b < batch.sequences(); b++) {
                int past = batch.past().get(b);
                for (int i = 0; i < batch.queries().get(b); i++, token++) {
                    float[] query = q[token * heads + h];
                    double[] scores = new double[past + i + 1];
                    for (int s = 0; s < scores.length; s++) {
                        int key = firstKey + s;
                        scores[s] = op.scale()
                                * (Sums.dot(query, 0, kv[key * heads + h], 0, noPe)
                                        + Sums.dot(query, noPe, kRope[key], 0, rope));
                    }
                    Sums.softmax(scores);
                    double[] sum = new double[values];
                    for (int s = 0; s < scores.length; s++) {
                        float[] row = kv[(firstKey + s) * heads + h];
                        for (int d = 0; d < values; d++) {
                            sum[d] += scores[s] * row[noPe + d];
                        }
                    }
                    out.writeRow((long) token * heads + h, sum);
                }
                firstKey += past + batch.queries().get(b);
            }
        });
    }

    void run(MlaDecodeAttention op) {
        float[][] q = operands.apply(op.q()).decode();
        Operand cache = operands.apply(op.cache());
        Operand pageTable = operands.apply(op.paged().pageTable());
        Operand out = operands.apply(op.out());
        int heads = (int) op.q().dim(1);
        int values = out.width();
        Batch batch = op.paged().batch();
        int firstToken = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int past = batch.past().get(b);
            int queries = batch.queries().get(b);
            float[][] rows = new float[past + queries][];
            for (int s = 0; s < rows.length; s++) {
                rows[s] = cache.row(LatentCaches.poolRow(pageTable, op.cache(), b, s));
            }
            int first = firstToken;
            IntStream.range(0, queries * heads).parallel().forEach(at -> {
                int i = at / heads;
                float[] query = q[first * heads + at];
                double[] scores = new double[past + i + 1];
                for (int s = 0; s < scores.length; s++) {
                    scores[s] = op.scale() * Sums.dot(query, rows[s]);
                }
                Sums.softmax(scores);
                double[] sum = new double[values];
                for (int s = 0; s < scores.length; s++) {
                    for (int d = 0; d < values; d++) {
                        sum[d] += scores[s] * rows[s][d];
                    }
                }
                out.writeRow((long) first * heads + at, sum);
            });
            firstToken += queries;
        }
    }
}
