package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import layerwise.op.Batch;
import layerwise.op.GatedRmsNorm;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.L2Norm;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.Noise;
import layerwise.op.PagedBatch;
import layerwise.op.RmsNorm;
import layerwise.op.SigmoidGate;
import layerwise.op.SquaredRelu;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Norms, gates and grouped-query attention, on cases worked out by hand and on properties. */
class HybridOperatorsTest {
    private final Bench bench = new Bench();

    @AfterEach
    void close() {
        bench.close();
    }

    private static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    private static float[] noise(int seed, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 2 * Noise.uniform(seed, i) - 1;
        }
        return values;
    }

    @Test
    void gateComesBeforeOrAfterTheNormOfEachGroup() {
        TensorRef x = bench.floats("x", Shape.of(1, 2, 2), 3, 4, 5, 12);
        TensorRef z = bench.floats("z", Shape.of(1, 2, 2), 1, 2, -1, 0.5f);
        TensorRef each = bench.floats("each", Shape.of(4), 1, 10, 100, 1000);
        TensorRef shared = bench.floats("shared", Shape.of(2), 2, 3);
        TensorRef gateFirst = bench.poisoned("gateFirst", DType.F32, 1, 2, 2);
        TensorRef normFirst = bench.poisoned("normFirst", DType.F32, 1, 2, 2);
        bench.run(
                new GatedRmsNorm(x, z, each, gateFirst, 0, GatedRmsNorm.Order.GATE_FIRST),
                new GatedRmsNorm(x, z, shared, normFirst, 0, GatedRmsNorm.Order.NORM_FIRST));
        double[] v = {3 * silu(1), 4 * silu(2), 5 * silu(-1), 12 * silu(0.5)};
        double r0 = Math.sqrt((v[0] * v[0] + v[1] * v[1]) / 2);
        double r1 = Math.sqrt((v[2] * v[2] + v[3] * v[3]) / 2);
        assertArrayEquals(
                new float[] {
                    (float) (v[0] / r0), (float) (10 * v[1] / r0), (float) (100 * v[2] / r1), (float) (1000 * v[3] / r1)
                },
                bench.read(gateFirst),
                1e-3f);
        double s0 = 5 / Math.sqrt(2);
        double s1 = 13 / Math.sqrt(2);
        assertArrayEquals(
                new float[] {
                    (float) (2 * 3 / s0 * silu(1)),
                    (float) (3 * 4 / s0 * silu(2)),
                    (float) (2 * 5 / s1 * silu(-1)),
                    (float) (3 * 12 / s1 * silu(0.5))
                },
                bench.read(normFirst),
                1e-5f);
    }

    @Test
    void l2NormDividesByTheLengthAndHasItsEpsilonInsideTheRoot() {
        TensorRef x = bench.floats("x", Shape.of(1, 2, 2), 3, 4, 0, 0);
        TensorRef y = bench.poisoned("y", DType.F32, 1, 2, 2);
        TensorRef y2 = bench.poisoned("y2", DType.F32, 1, 2, 2);
        bench.run(new L2Norm(x, y, 1e-6), new L2Norm(x, y2, 11));
        assertArrayEquals(new float[] {0.6f, 0.8f, 0, 0}, bench.read(y), 1e-6f);
        assertArrayEquals(new float[] {0.5f, 4f / 6, 0, 0}, bench.read(y2), 1e-6f);
    }

    @Test
    void rmsNormOfHeadsTakesEachHeadByItself() {
        TensorRef x =
                bench.floats("x", Shape.of(1, 2, 4), 3, 4, 9, 9, 5, 12, 9, 9).slice(2, 0, 2);
        TensorRef gain = bench.floats("gain", Shape.of(2), 1, 2);
        TensorRef y = bench.poisoned("y", DType.F32, 1, 2, 2);
        bench.run(new RmsNorm(x, gain, y, 0));
        double a = 5 / Math.sqrt(2);
        double b = 13 / Math.sqrt(2);
        assertArrayEquals(
                new float[] {(float) (3 / a), (float) (8 / a), (float) (5 / b), (float) (24 / b)},
                bench.read(y),
                1e-6f);
    }

    @Test
    void squaredReluLeavesRowsThatAreNotInUse() {
        TensorRef x = bench.floats("x", Shape.of(2, 3), -2, 0, 3, 1, 1, 1);
        TensorRef offsets = bench.ints("offsets", Shape.of(3), 0, 1, 1);
        TensorRef y = bench.floats("y", Shape.of(2, 3), 7, 7, 7, 7, 7, 7);
        TensorRef all = bench.poisoned("all", DType.F32, 2, 3);
        bench.run(new SquaredRelu(x, Optional.of(offsets), y), new SquaredRelu(x, Optional.empty(), all));
        assertArrayEquals(new float[] {0, 0, 9, 7, 7, 7}, bench.read(y));
        assertArrayEquals(new float[] {0, 0, 9, 1, 1, 1}, bench.read(all));
    }

    @Test
    void sigmoidGateTakesOneGateForEachElementOrOneForARow() {
        TensorRef x = bench.floats("x", Shape.of(1, 2, 2), 1, 2, 3, 4);
        TensorRef wide = bench.floats("wide", Shape.of(1, 2, 2), 0, 100, -100, 0);
        TensorRef narrow = bench.floats("narrow", Shape.of(1, 2, 1), 0, 100);
        TensorRef y = bench.poisoned("y", DType.F32, 1, 2, 2);
        TensorRef y2 = bench.poisoned("y2", DType.F32, 1, 2, 2);
        bench.run(new SigmoidGate(x, wide, y), new SigmoidGate(x, narrow, y2));
        assertArrayEquals(new float[] {0.5f, 2, 0, 2}, bench.read(y), 1e-6f);
        assertArrayEquals(new float[] {0.5f, 1, 3, 4}, bench.read(y2), 1e-6f);
    }

    @Test
    void attentionOverOneKeyReturnsTheValueOfItsGroup() {
        PagedBatch paged = bench.paged(Batch.uniform(1, 1, 0), 4);
        TensorRef q = bench.floats("q", Shape.of(1, 4, 3), noise(1, 12));
        TensorRef key = bench.floats("key", Shape.of(1, 6), noise(3, 6));
        TensorRef value = bench.floats("value", Shape.of(1, 6), 1, 2, 3, 4, 5, 6);
        TensorRef cache = bench.poisoned("cache", DType.F32, 1, 4, 12);
        TensorRef decoded = bench.poisoned("decoded", DType.F32, 1, 4, 3);
        TensorRef prefilled = bench.poisoned("prefilled", DType.F32, 1, 4, 3);
        bench.run(
                new LatentAppend(key, value, cache, paged),
                new GqaDecodeAttention(q, cache, decoded, paged, 0.5),
                new GqaPrefillAttention(q, key.splitLast(2, 3), value.splitLast(2, 3), prefilled, paged, 0.5));
        float[] expected = {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6};
        assertArrayEquals(expected, bench.read(decoded), 1e-6f);
        assertArrayEquals(expected, bench.read(prefilled), 1e-6f);
    }

    @Test
    void groupedAttentionIsCausalAndMatchesItsDefinition() {
        // Two sequences with a past, pages of 4 tokens, two key heads for four query heads.
        Batch batch = new Batch(List.of(3, 1), List.of(2, 5));
        PagedBatch paged = bench.paged(batch, 4);
        TensorRef q = bench.floats("q", Shape.of(4, 4, 3), noise(1, 48));
        TensorRef cache = bench.floats("cache", Shape.of(4, 4, 12), noise(2, 192));
        TensorRef rows = bench.poisoned("rows", DType.F32, 11, 12);
        TensorRef decoded = bench.poisoned("decoded", DType.F32, 4, 4, 3);
        TensorRef prefilled = bench.poisoned("prefilled", DType.F32, 4, 4, 3);
        bench.run(
                new LatentGather(cache, rows, paged),
                new GqaDecodeAttention(q, cache, decoded, paged, 0.7),
                new GqaPrefillAttention(
                        q,
                        rows.slice(1, 0, 6).splitLast(2, 3),
                        rows.slice(1, 6, 12).splitLast(2, 3),
                        prefilled,
                        paged,
                        0.7));
        float[] queries = bench.read(q);
        float[] cached = bench.read(cache);
        float[] out = bench.read(decoded);
        assertArrayEquals(out, bench.read(prefilled));
        int[][] visible = {{0, 3}, {0, 4}, {0, 5}, {1, 6}};
        for (int t = 0; t < 4; t++) {
            for (int h = 0; h < 4; h++) {
                double total = 0;
                double[] sum = new double[3];
                for (int s = 0; s < visible[t][1]; s++) {
                    // Pages descend: sequence 0 owns 3, 2 and sequence 1 owns 1, 0.
                    int page = 3 - 2 * visible[t][0] - s / 4;
                    int key = (page * 4 + s % 4) * 12 + h / 2 * 3;
                    double score = 0;
                    for (int d = 0; d < 3; d++) {
                        score += queries[(t * 4 + h) * 3 + d] * cached[key + d];
                    }
                    double weight = Math.exp(0.7 * score);
                    total += weight;
                    for (int d = 0; d < 3; d++) {
                        sum[d] += weight * cached[key + 6 + d];
                    }
                }
                for (int d = 0; d < 3; d++) {
                    assertEquals(sum[d] / total, out[(t * 4 + h) * 3 + d], 1e-6, "token " + t + " head " + h);
                }
            }
        }
    }
}
