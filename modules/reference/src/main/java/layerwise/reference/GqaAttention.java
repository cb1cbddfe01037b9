package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.KeyValueAppend;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;

/** Grouped-query attention and its paged cache, one worker per query head of a token. */
final class GqaAttention {
    private final Function<TensorRef, Operand> operands;

    GqaAttention(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    /** Row of the cache that holds the key (part 0) or value (part 1) of one head at one position of one sequence. */
    private static long cacheRow(Operand pageTable, TensorRef cache, int sequence, int part, int head, long position) {
        long pageTokens = cache.dim(3);
        long page = pageTable.getInt(sequence, position / pageTokens);
        return ((page * 2 + part) * cache.dim(2) + head) * pageTokens + position % pageTokens;
    }

    void run(KeyValueAppend op) {
        Operand key = operands.apply(op.key());
        Operand value = operands.apply(op.value());
        Operand cache = operands.apply(op.cache());
        PagedBatch paged = op.paged();
        Operand positions = operands.apply(paged.positions());
        Operand starts = operands.apply(paged.starts());
        Operand pageTable = operands.apply(paged.pageTable());
        int heads = (int) op.key().dim(1);
        for (int b = 0; b < paged.batch().sequences(); b++) {
            for (int t = starts.getInt(b); t < starts.getInt(b + 1); t++) {
                int position = positions.getInt(t);
                for (int h = 0; h < heads; h++) {
                    long row = (long) t * heads + h;
                    cache.writeRow(cacheRow(pageTable, op.cache(), b, 0, h, position), key.row(row));
                    cache.writeRow(cacheRow(pageTable, op.cache(), b, 1, h, position), value.row(row));
                }
            }
        }
    }

    void run(GqaPrefillAttention op) {
        attend(op.q(), op.cache(), op.out(), op.paged(), op.scale());
    }

    void run(GqaDecodeAttention op) {
        attend(op.q(), op.cache(), op.out(), op.paged(), op.scale());
    }

    private void attend(TensorRef queries, TensorRef pool, TensorRef result, PagedBatch paged, double scale) {
        Operand q = operands.apply(queries);
        Operand cache = operands.apply(pool);
        Operand out = operands.apply(result);
        Operand pageTable = operands.apply(paged.pageTable());
        int heads = (int) queries.dim(1);
        int kvHeads = (int) pool.dim(2);
        int first = 0;
        for (int b = 0; b < paged.batch().sequences(); b++) {
            int past = paged.batch().past().get(b);
            int fresh = paged.batch().queries().get(b);
            for (int g = 0; g < kvHeads; g++) {
                float[][] keys = rows(cache, pageTable, pool, b, 0, g, past + fresh);
                float[][] values = rows(cache, pageTable, pool, b, 1, g, past + fresh);
                int group = heads / kvHeads;
                int token = first;
                int firstHead = g * group;
                IntStream.range(0, fresh * group).parallel().forEach(at -> {
                    int i = at / group;
                    long row = (long) (token + i) * heads + firstHead + at % group;
                    out.writeRow(row, attended(q.row(row), keys, values, past + i + 1, scale));
                });
            }
            first += fresh;
        }
    }

    private static float[][] rows(
            Operand cache, Operand pageTable, TensorRef pool, int sequence, int part, int head, int length) {
        float[][] rows = new float[length][];
        for (int s = 0; s < length; s++) {
            rows[s] = cache.row(cacheRow(pageTable, pool, sequence, part, head, s));
        }
        return rows;
    }

    private static float[] attended(float[] query, float[][] keys, float[][] values, int visible, double scale) {
        double[] scores = new double[visible];
        double max = Double.NEGATIVE_INFINITY;
        for (int s = 0; s < visible; s++) {
            scores[s] = scale * Sums.dot(query, keys[s]);
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
