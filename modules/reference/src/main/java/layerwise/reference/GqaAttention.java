package layerwise.reference;

import java.util.Arrays;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.Operator;
import layerwise.op.TensorRef;

/** Attention of grouped queries over contiguous and over paged keys and values, a worker for each key/value head. */
final class GqaAttention {
    private final Function<TensorRef, Operand> operands;
    private final Sampling sampling;

    GqaAttention(Function<TensorRef, Operand> operands, Sampling sampling) {
        this.operands = operands;
        this.sampling = sampling;
    }

    void run(GqaPrefillAttention op) {
        Operand k = operands.apply(op.k());
        Operand v = operands.apply(op.v());
        long kvHeads = op.k().dim(1);
        Queries queries = new Queries(op, op.q(), op.out(), op.group(), op.scale());
        Batch batch = op.paged().batch();
        int firstKey = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int first = firstKey;
            int length = batch.past().get(b) + batch.queries().get(b);
            queries.attend(
                    batch,
                    b,
                    g -> rows(length, s -> Sums.widened(k.row((first + s) * kvHeads + g)), double[][]::new),
                    g -> rows(length, s -> v.row((first + s) * kvHeads + g), float[][]::new));
            firstKey += length;
        }
    }

    void run(GqaDecodeAttention op) {
        Operand cache = operands.apply(op.cache());
        Operand pageTable = operands.apply(op.paged().pageTable());
        int kvHeads = op.kvHeads();
        int headDim = (int) op.q().dim(2);
        Queries queries = new Queries(op, op.q(), op.out(), op.group(), op.scale());
        Batch batch = op.paged().batch();
        for (int b = 0; b < batch.sequences(); b++) {
            int sequence = b;
            float[][] rows = new float[batch.past().get(b) + batch.queries().get(b)][];
            Arrays.setAll(rows, s -> cache.row(LatentCaches.poolRow(pageTable, op.cache(), sequence, s)));
            queries.attend(
                    batch,
                    b,
                    g -> rows(rows.length, s -> Sums.widened(head(rows[s], g, headDim)), double[][]::new),
                    g -> rows(rows.length, s -> head(rows[s], kvHeads + g, headDim), float[][]::new));
        }
    }

    private static <R> R[] rows(int count, IntFunction<R> row, IntFunction<R[]> matrix) {
        return IntStream.range(0, count).mapToObj(row).toArray(matrix);
    }

    private static float[] head(float[] row, int head, int headDim) {
        return Arrays.copyOfRange(row, head * headDim, (head + 1) * headDim);
    }

    /** Queries of an operator and where their results go. */
    private final class Queries {
        private final Operand q;
        private final Operand out;
        private final int heads;
        private final int group;
        private final double scale;
        private final int[][] byHead;

        Queries(Operator operator, TensorRef q, TensorRef out, int group, double scale) {
            this.q = operands.apply(q);
            this.out = operands.apply(out);
            this.heads = (int) q.dim(1);
            this.group = group;
            this.scale = scale;
            byHead = Products.byHead(sampling.of(operator, this.out.rows()).rows(), heads);
        }

        /** One sequence: {@code keys} and {@code values} of a key/value head by position. */
        void attend(Batch batch, int sequence, IntFunction<double[][]> keys, IntFunction<float[][]> values) {
            int token = batch.queries().subList(0, sequence).stream()
                    .mapToInt(Integer::intValue)
                    .sum();
            int queries = batch.queries().get(sequence);
            int past = batch.past().get(sequence);
            IntStream.range(0, heads / group).parallel().forEach(g -> {
                int[] rows = IntStream.range(g * group, (g + 1) * group)
                        .flatMap(h -> Arrays.stream(byHead[h]))
                        .filter(row -> row / heads >= token && row / heads < token + queries)
                        .toArray();
                if (rows.length > 0) {
                    ScaledDotProduct.attend(
                            RowBlock.of(q::row, rows),
                            row -> past + row / heads - token + 1,
                            scale,
                            keys.apply(g),
                            values.apply(g),
                            0,
                            out);
                }
            });
        }
    }
}
