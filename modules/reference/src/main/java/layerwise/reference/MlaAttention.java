package layerwise.reference;

import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.TensorRef;

/** Both forms of multi-head latent attention, a worker for each row of the result. */
final class MlaAttention {
    /** Query rows whose scores a worker sums in step. */
    private static final int WORKER_ROWS = 16;

    private final Function<TensorRef, Operand> operands;
    private final Sampling sampling;

    MlaAttention(Function<TensorRef, Operand> operands, Sampling sampling) {
        this.operands = operands;
        this.sampling = sampling;
    }

    void run(MlaPrefillAttention op) {
        Operand q = operands.apply(op.q());
        Operand kv = operands.apply(op.kv());
        Operand kRope = operands.apply(op.kRope());
        Operand out = operands.apply(op.out());
        int heads = (int) op.q().dim(1);
        int noPe = op.noPeDim();
        float[][] rope = kRope.decode();
        int[][] byHead = Products.byHead(sampling.of(op, out.rows()).rows(), heads);
        Batch batch = op.paged().batch();
        int firstToken = 0;
        int firstKey = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int token = firstToken;
            int first = firstKey;
            int past = batch.past().get(b);
            int queries = batch.queries().get(b);
            IntStream.range(0, heads).parallel().forEach(h -> {
                int[] rows = Arrays.stream(byHead[h])
                        .filter(row -> row / heads >= token && row / heads < token + queries)
                        .toArray();
                double[][] keys = new double[rows.length == 0 ? 0 : past + queries][];
                float[][] values = new float[keys.length][];
                for (int s = 0; s < keys.length; s++) {
                    values[s] = kv.row((long) (first + s) * heads + h);
                    float[] key = Arrays.copyOf(values[s], q.width());
                    System.arraycopy(rope[first + s], 0, key, noPe, kRope.width());
                    keys[s] = Sums.widened(key);
                }
                ScaledDotProduct.attend(
                        RowBlock.of(q::row, rows),
                        row -> past + row / heads - token + 1,
                        op.scale(),
                        keys,
                        values,
                        noPe,
                        out);
            });
            firstToken += queries;
            firstKey += past + queries;
        }
    }

    void run(MlaDecodeAttention op) {
        Operand q = operands.apply(op.q());
        Operand cache = operands.apply(op.cache());
        Operand pageTable = operands.apply(op.paged().pageTable());
        Operand out = operands.apply(op.out());
        int heads = (int) op.q().dim(1);
        Sample sample = sampling.of(op, out.rows());
        Batch batch = op.paged().batch();
        int firstToken = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int token = firstToken;
            int sequence = b;
            int past = batch.past().get(b);
            int queries = batch.queries().get(b);
            int[] rows = sample.rows(0, token * heads, (token + queries) * heads);
            float[][] values = new float[rows.length == 0 ? 0 : past + queries][];
            double[][] keys = new double[values.length][];
            IntStream.range(0, keys.length).parallel().forEach(s -> {
                values[s] = cache.row(LatentCaches.poolRow(pageTable, op.cache(), sequence, s));
                keys[s] = Sums.widened(values[s]);
            });
            // A few rows for each worker.
            IntStream.range(0, Math.ceilDiv(rows.length, WORKER_ROWS))
                    .parallel()
                    .forEach(w -> {
                        int[] own =
                                Arrays.copyOfRange(rows, w * WORKER_ROWS, Math.min((w + 1) * WORKER_ROWS, rows.length));
                        ScaledDotProduct.attend(
                                RowBlock.of(q::row, own),
                                row -> past + row / heads - token + 1,
                                op.scale(),
                                keys,
                                values,
                                0,
                                out);
                    });
            firstToken += queries;
        }
    }
}
