package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.TensorRef;

/** Both forms of multi-head latent attention, a worker for each row of the result. */
final class MlaAttention {
    private final Function<TensorRef, Operand> operands;
    private final Sampling sampling;

    MlaAttention(Function<TensorRef, Operand> operands, Sampling sampling) {
        this.operands = operands;
        this.sampling = sampling;
    }

    void run(MlaPrefillAttention op) {
        int heads = (int) op.q().dim(1);
        int noPe = op.noPeDim();
        int rope = (int) op.kRope().dim(1);
        Sample sample = sampling.of(op, op.q().dim(0) * heads);
        float[][] q = operands.apply(op.q()).decode(sample);
        float[][] kv = operands.apply(op.kv()).decode();
        float[][] kRope = operands.apply(op.kRope()).decode();
        Operand out = operands.apply(op.out());
        int values = out.width();
        Batch batch = op.paged().batch();
        int firstToken = 0;
        int firstKey = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int token = firstToken;
            int first = firstKey;
            int past = batch.past().get(b);
            int queries = batch.queries().get(b);
            sample.rows(0, 1, token * heads, (token + queries) * heads)
                    .parallel()
                    .forEach(row -> {
                        int h = row % heads;
                        double[] scores = new double[past + row / heads - token + 1];
                        for (int s = 0; s < scores.length; s++) {
                            int key = first + s;
                            scores[s] = op.scale()
                                    * (Sums.dot(q[row], 0, kv[key * heads + h], 0, noPe)
                                            + Sums.dot(q[row], noPe, kRope[key], 0, rope));
                        }
                        softmax(scores);
                        double[] sum = new double[values];
                        for (int s = 0; s < scores.length; s++) {
                            float[] key = kv[(first + s) * heads + h];
                            for (int d = 0; d < values; d++) {
                                sum[d] += scores[s] * key[noPe + d];
                            }
                        }
                        write(out, row, sum);
                    });
            firstToken += queries;
            firstKey += past + queries;
        }
    }

    void run(MlaDecodeAttention op) {
        int heads = (int) op.q().dim(1);
        Sample sample = sampling.of(op, op.q().dim(0) * heads);
        float[][] q = operands.apply(op.q()).decode(sample);
        Operand cache = operands.apply(op.cache());
        Operand pageTable = operands.apply(op.paged().pageTable());
        Operand out = operands.apply(op.out());
        int values = out.width();
        Batch batch = op.paged().batch();
        int firstToken = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int token = firstToken;
            int sequence = b;
            int past = batch.past().get(b);
            int queries = batch.queries().get(b);
            float[][] keys = new float[past + queries][];
            IntStream.range(0, keys.length)
                    .parallel()
                    .forEach(s -> keys[s] = cache.row(LatentCaches.poolRow(pageTable, op.cache(), sequence, s)));
            sample.rows(0, 1, token * heads, (token + queries) * heads)
                    .parallel()
                    .forEach(row -> {
                        double[] scores = new double[past + row / heads - token + 1];
                        for (int s = 0; s < scores.length; s++) {
                            scores[s] = op.scale() * Sums.dot(q[row], keys[s]);
                        }
                        softmax(scores);
                        double[] sum = new double[values];
                        for (int s = 0; s < scores.length; s++) {
                            for (int d = 0; d < values; d++) {
                                sum[d] += scores[s] * keys[s][d];
                            }
                        }
                        write(out, row, sum);
                    });
            firstToken += queries;
        }
    }

    private static void softmax(double[] scores) {
        double max = Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            max = Math.max(max, score);
        }
        double total = 0;
        for (int s = 0; s < scores.length; s++) {
            scores[s] = Math.exp(scores[s] - max);
            total += scores[s];
        }
        for (int s = 0; s < scores.length; s++) {
            scores[s] /= total;
        }
    }

    private static void write(Operand out, long row, double[] sum) {
        float[] values = new float[sum.length];
        for (int d = 0; d < values.length; d++) {
            values[d] = (float) sum[d];
        }
        out.writeRow(row, values);
    }
}
