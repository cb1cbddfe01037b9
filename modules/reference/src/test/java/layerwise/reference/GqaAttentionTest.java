package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import layerwise.op.Batch;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.LatentAppend;
import layerwise.op.Noise;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Grouped queries on cases worked out by hand, against the formula written out, and on properties. */
class GqaAttentionTest {
    private final Bench bench = new Bench();

    @AfterEach
    void close() {
        bench.close();
    }

    private static float[] noise(int seed, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 2 * Noise.uniform(seed, i) - 1;
        }
        return values;
    }

    @Test
    void neighbouringQueryHeadsShareAKeyValueHead() {
        // One token sees one key: every query head returns the value of its group.
        PagedBatch paged = bench.paged(Batch.uniform(1, 1, 0), 4);
        TensorRef q = bench.floats("q", Shape.of(1, 4, 1), 1, 2, 3, 4);
        TensorRef k = bench.floats("k", Shape.of(1, 2, 1), 5, 6);
        TensorRef v = bench.floats("v", Shape.of(1, 2, 1), 10, 20);
        TensorRef out = bench.poisoned("out", DType.F32, 1, 4, 1);
        bench.run(new GqaPrefillAttention(q, k, v, out, paged, 1));
        assertArrayEquals(new float[] {10, 10, 20, 20}, bench.read(out));
    }

    @Test
    void decodeReadsKeysAndThenValuesOfACachedRow() {
        // Equal scores: the mean of the values of both cached tokens, by key/value head.
        PagedBatch paged = bench.paged(Batch.uniform(1, 1, 1), 2);
        TensorRef cache = bench.floats("cache", Shape.of(1, 2, 4), 7, 8, 1, 2, 7, 8, 3, 6);
        TensorRef q = bench.floats("q", Shape.of(1, 2, 1), 1, 1);
        TensorRef out = bench.poisoned("out", DType.F32, 1, 2, 1);
        bench.run(new GqaDecodeAttention(q, cache, out, paged, 1));
        assertArrayEquals(new float[] {2, 4}, bench.read(out), 1e-6f);
    }

    @Test
    void matchesTheFormulaOnRaggedSequencesWithAPast() {
        Batch batch = new Batch(List.of(3, 1, 5), List.of(0, 4, 2));
        int context = (int) batch.context();
        float[] q = noise(1, batch.tokens() * 6 * 8);
        float[] k = noise(2, context * 2 * 8);
        float[] v = noise(3, context * 2 * 8);
        TensorRef out = bench.poisoned("out", DType.F32, batch.tokens(), 6, 8);
        bench.run(new GqaPrefillAttention(
                bench.floats("q", Shape.of(batch.tokens(), 6, 8), q),
                bench.floats("k", Shape.of(context, 2, 8), k),
                bench.floats("v", Shape.of(context, 2, 8), v),
                out,
                bench.paged(batch, 4),
                0.7));
        float[] result = bench.read(out);
        int token = 0;
        int key = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int past = batch.past().get(b);
            for (int i = 0; i < batch.queries().get(b); i++, token++) {
                for (int h = 0; h < 6; h++) {
                    assertRow(q, k, v, token * 6 + h, key, past + i + 1, h / 3, result);
                }
            }
            key += past + batch.queries().get(b);
        }
    }

    private static void assertRow(
            float[] q, float[] k, float[] v, int row, int firstKey, int keys, int kvHead, float[] result) {
        double total = 0;
        double[] sum = new double[8];
        for (int s = firstKey; s < firstKey + keys; s++) {
            double score = 0;
            for (int d = 0; d < 8; d++) {
                score += (double) q[row * 8 + d] * k[(s * 2 + kvHead) * 8 + d];
            }
            total += Math.exp(0.7 * score);
            for (int d = 0; d < 8; d++) {
                sum[d] += Math.exp(0.7 * score) * v[(s * 2 + kvHead) * 8 + d];
            }
        }
        for (int d = 0; d < 8; d++) {
            assertEquals(sum[d] / total, result[row * 8 + d], 1e-6, "row " + row);
        }
    }

    @Test
    void decodeOfWhatWasAppendedIsPrefill() {
        Batch batch = new Batch(List.of(5, 2), List.of(0, 0));
        PagedBatch paged = bench.paged(batch, 2);
        TensorRef rows = bench.floats("rows", Shape.of(7, 24), noise(5, 7 * 24));
        TensorRef keys = rows.slice(1, 0, 12);
        TensorRef values = rows.slice(1, 12, 24);
        TensorRef cache = bench.poisoned("cache", DType.F32, 6, 2, 24);
        TensorRef q = bench.floats("q", Shape.of(7, 9, 4), noise(6, 7 * 36));
        TensorRef prefill = bench.poisoned("prefill", DType.F32, 7, 9, 4);
        TensorRef decode = bench.poisoned("decode", DType.F32, 7, 9, 4);
        bench.run(
                new LatentAppend(keys, values, cache, paged),
                new GqaPrefillAttention(q, keys.splitLast(3, 4), values.splitLast(3, 4), prefill, paged, 0.5),
                new GqaDecodeAttention(q, cache, decode, paged, 0.5));
        assertArrayEquals(bench.read(prefill), bench.read(decode));
    }
}
