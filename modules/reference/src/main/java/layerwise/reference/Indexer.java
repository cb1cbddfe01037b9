package layerwise.reference;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.IndexKeyAppend;
import layerwise.op.IndexLogits;
import layerwise.op.IndexQuery;
import layerwise.op.IndexTopK;
import layerwise.op.PagedBatch;
import layerwise.op.PoolRows;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** The lightning indexer: queries, keys, scores and the choice of positions. */
final class Indexer {
    private final Function<TensorRef, Operand> operands;
    private final Sampling sampling;

    Indexer(Function<TensorRef, Operand> operands, Sampling sampling) {
        this.operands = operands;
        this.sampling = sampling;
    }

    void run(IndexQuery op) {
        Operand q = operands.apply(op.q());
        Operand weights = operands.apply(op.weights());
        Operand positions = operands.apply(op.positions());
        Operand table = operands.apply(op.table());
        Operand y = operands.apply(op.y());
        Operand scaled = operands.apply(op.scaled());
        int heads = (int) op.q().dim(1);
        float factor = (float) (1 / Math.sqrt(heads * (double) q.width()));
        IntStream.range(0, Math.toIntExact(q.rows())).parallel().forEach(row -> {
            float[] head = q.row(row);
            float scale =
                    prepare(head, table, positions.getInt(row / heads), op.y().dtype());
            y.writeRow(row, head);
            scaled.set(row / heads, row % heads, weights.get(row / heads, row % heads) * factor * scale);
        });
    }

    void run(IndexKeyAppend op) {
        Operand k = operands.apply(op.k());
        float[] gain = operands.apply(op.gain()).row(0);
        float[] bias = operands.apply(op.bias()).row(0);
        Operand table = operands.apply(op.table());
        Operand elements = operands.apply(op.keys().elements());
        Operand scales = operands.apply(op.keys().scales());
        PagedBatch paged = op.paged();
        Operand positions = operands.apply(paged.positions());
        Operand starts = operands.apply(paged.starts());
        Operand pageTable = operands.apply(paged.pageTable());
        long pageTokens = op.keys().elements().dim(1);
        for (int b = 0; b < paged.batch().sequences(); b++) {
            for (int t = starts.getInt(b); t < starts.getInt(b + 1); t++) {
                float[] key = layerNorm(k.row(t), gain, bias, op.epsilon());
                int position = positions.getInt(t);
                float scale = prepare(key, table, position, op.keys().elements().dtype());
                long row = LatentCaches.poolRow(pageTable, op.keys().elements(), b, position);
                elements.writeRow(row, key);
                scales.set(row / pageTokens, row % pageTokens, scale);
            }
        }
    }

    private static float[] layerNorm(float[] x, float[] gain, float[] bias, double epsilon) {
        double sum = 0;
        for (float value : x) {
            sum += value;
        }
        double mean = sum / x.length;
        double squares = 0;
        for (float value : x) {
            squares += (value - mean) * (value - mean);
        }
        double scale = 1 / Math.sqrt(squares / x.length + epsilon);
        float[] y = new float[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = (float) ((x[i] - mean) * scale * gain[i] + bias[i]);
        }
        return y;
    }

    /** Rotates a head in place; for E4M3 spreads and divides it, too. Returns its scale. */
    private static float prepare(float[] head, Operand table, int position, DType dtype) {
        float[] cosines = table.row(2L * position);
        float[] sines = table.row(2L * position + 1);
        int half = cosines.length;
        for (int i = 0; i < half; i++) {
            float a = head[i];
            float b = head[half + i];
            head[i] = a * cosines[i] - b * sines[i];
            head[half + i] = b * cosines[i] + a * sines[i];
        }
        if (dtype != DType.E4M3) {
            return 1;
        }
        Rounding.hadamard(head);
        return Rounding.divideByPowerOfTwo(head);
    }

    void run(IndexLogits op) {
        Operand q = operands.apply(op.q());
        Operand weights = operands.apply(op.weights());
        Operand elements = operands.apply(op.keys().elements());
        Operand scales = operands.apply(op.keys().scales());
        Operand pageTable = operands.apply(op.paged().pageTable());
        Operand out = operands.apply(op.out());
        int heads = (int) op.q().dim(1);
        long pageTokens = op.keys().elements().dim(1);
        Sample sample = sampling.of(op, out.rows());
        Batch batch = op.paged().batch();
        int start = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int sequence = b;
            int past = batch.past().get(b);
            int token = start - op.first();
            int from = Math.max(0, token);
            int to = Math.min((int) out.rows(), token + batch.queries().get(b));
            start += batch.queries().get(b);
            if (from >= to) {
                continue;
            }
            float[][] rows = weights.decode();
            List<List<RowBlock>> queries = IntStream.range(0, sample.groups())
                    .mapToObj(group -> RowBlock.of(q::row, heads(sample.rows(group, from, to), heads)))
                    .toList();
            IntStream.range(0, past + to - token).parallel().forEach(s -> {
                long row = LatentCaches.poolRow(pageTable, op.keys().elements(), sequence, s);
                double[] key = Sums.widened(elements.row(row));
                float scale = scales.get(row / pageTokens, row % pageTokens);
                score(
                        queries.get(sample.group(s, out.width())),
                        heads,
                        key,
                        rows,
                        scale,
                        s,
                        t -> past + t - token,
                        out);
            });
        }
    }

    /** Rows of queries of some tokens. */
    private static int[] heads(int[] tokens, int heads) {
        return Arrays.stream(tokens)
                .flatMap(t -> IntStream.range(t * heads, (t + 1) * heads))
                .toArray();
    }

    /** Writes the scores of one key for tokens whose heads follow each other in the blocks. */
    private static void score(
            List<RowBlock> blocks,
            int heads,
            double[] key,
            float[][] weights,
            float scale,
            int position,
            IntUnaryOperator own,
            Operand out) {
        double sum = 0;
        for (RowBlock block : blocks) {
            double[] products = block.times(key);
            for (int j = 0; j < products.length; j++) {
                int token = block.rows()[j] / heads;
                int head = block.rows()[j] % heads;
                sum += weights[token][head] * Math.max(0, products[j]);
                if (head == heads - 1) {
                    if (position <= own.applyAsInt(token)) {
                        out.set(token, position, (float) (scale * sum));
                    }
                    sum = 0;
                }
            }
        }
    }

    void run(IndexTopK op) {
        Operand logits = operands.apply(op.logits());
        Operand positions = operands.apply(op.positions());
        Operand indices = operands.apply(op.indices());
        IntStream.range(0, Math.toIntExact(logits.rows())).parallel().forEach(t -> {
            int[] chosen = greatest(
                    Arrays.copyOf(logits.row(t), positions.getInt(t) + 1),
                    Math.toIntExact(op.indices().dim(1)));
            for (int j = 0; j < chosen.length; j++) {
                indices.setInt(t, j, chosen[j]);
            }
        });
    }

    /** Ascending positions of the k greatest, the first of equal ones; −1 where there are fewer. */
    static int[] greatest(float[] scores, int k) {
        int[] chosen = new int[k];
        Arrays.fill(chosen, -1);
        int count = Math.min(k, scores.length);
        float[] sorted = scores.clone();
        Arrays.sort(sorted);
        float least = sorted[sorted.length - count];
        int ties = count;
        for (int i = sorted.length - 1; i >= 0 && sorted[i] > least; i--) {
            ties--;
        }
        int at = 0;
        for (int s = 0; s < scores.length; s++) {
            if (scores[s] > least || (scores[s] == least && ties-- > 0)) {
                chosen[at++] = s;
            }
        }
        return chosen;
    }

    void run(PoolRows op) {
        Operand indices = operands.apply(op.indices());
        Operand rows = operands.apply(op.rows());
        Operand starts = operands.apply(op.paged().starts());
        Operand pageTable = operands.apply(op.paged().pageTable());
        for (int b = 0; b < op.paged().batch().sequences(); b++) {
            int sequence = b;
            IntStream.range(starts.getInt(b), starts.getInt(b + 1)).parallel().forEach(t -> {
                for (int j = 0; j < rows.width(); j++) {
                    int s = indices.getInt(t, j);
                    int page = s < 0 ? 0 : pageTable.getInt(sequence, s / op.pageTokens());
                    rows.setInt(t, j, s < 0 ? -1 : page * op.pageTokens() + s % op.pageTokens());
                }
            });
        }
    }
}
