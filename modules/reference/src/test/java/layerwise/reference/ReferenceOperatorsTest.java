package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import layerwise.op.Activations;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.Batch;
import layerwise.op.Combine;
import layerwise.op.ExpertLoad;
import layerwise.op.GatherRows;
import layerwise.op.GroupedLinear;
import layerwise.op.HeadLinear;
import layerwise.op.Lane;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.Linear;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.Noise;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.Program;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.op.ScaleFormat;
import layerwise.op.Scaling;
import layerwise.op.SortByExpert;
import layerwise.op.Step;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.op.fusion.ExpertLoop;
import layerwise.tensor.DType;
import layerwise.tensor.Float8E4M3;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The oracle itself, on cases worked out by hand and on properties. */
class ReferenceOperatorsTest {
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
    void linearMultipliesByTheTransposedWeight() {
        TensorRef x = bench.floats("x", Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
        TensorRef w = bench.floats("w", Shape.of(2, 3), 1, 0, -1, 2, 1, 0);
        TensorRef y = bench.poisoned("y", DType.F32, 2, 2);
        bench.run(new Linear(x, Weight.plain(w), y));
        assertArrayEquals(new float[] {-2, 4, -2, 13}, bench.read(y));
    }

    @Test
    void linearReadsStridedRowsAndWritesStridedRows() {
        TensorRef x = bench.floats("x", Shape.of(2, 4), 9, 1, 2, 9, 9, 3, 4, 9);
        TensorRef w = bench.floats("w", Shape.of(1, 2), 10, 1);
        TensorRef y = bench.floats("y", Shape.of(2, 3), 7, 7, 7, 7, 7, 7);
        bench.run(new Linear(x.slice(1, 1, 3), Weight.plain(w), y.slice(1, 1, 2)));
        assertArrayEquals(new float[] {7, 12, 7, 7, 34, 7}, bench.read(y));
    }

    @Test
    void nvfp4ValuesAreElementTimesBlockTimesSegmentScale() {
        float[] codes = new float[64];
        Arrays.fill(codes, 1.5f);
        codes[0] = -6;
        TensorRef data = bench.rounded("w", DType.E2M1, Shape.of(2, 32), codes);
        TensorRef blocks = bench.rounded("b", DType.E4M3, Shape.of(2, 2), 2, 4, 8, 0.5f);
        TensorRef segments = bench.floats("s", Shape.of(2), 0.25f, 3);
        TensorRef x = bench.floats("x", Shape.of(1, 32), unit(32, 0));
        TensorRef last = bench.floats("x2", Shape.of(1, 32), unit(32, 31));
        TensorRef y = bench.poisoned("y", DType.F32, 1, 2);
        TensorRef y2 = bench.poisoned("y2", DType.F32, 1, 2);
        Weight w = new Weight(data, new Scaling.Nvfp4(blocks, segments));
        bench.run(new Linear(x, w, y), new Linear(last, w, y2));
        assertArrayEquals(new float[] {-6 * 2 * 0.25f, 1.5f * 8 * 3}, bench.read(y));
        assertArrayEquals(new float[] {1.5f * 4 * 0.25f, 1.5f * 0.5f * 3}, bench.read(y2));
    }

    @Test
    void bfloat16ActivationsAreRoundedWhereWeightsAreBlocksOfFp8() {
        // 17 lies between the codes 16 and 18 of E4M3 at scale 1; a tie goes to the even one. The second block's scale
        // is
        // the least one, and its element survives all the same.
        float[] row = new float[160];
        row[0] = Float8E4M3.MAX;
        row[1] = 17;
        row[130] = 1e-5f;
        TensorRef x = bench.rounded("x", DType.BF16, Shape.of(1, 160), row);
        TensorRef wide = bench.floats("wide", Shape.of(1, 160), row);
        float[] ones = new float[160];
        ones[1] = 1;
        ones[130] = 1;
        TensorRef codes = bench.rounded("w", DType.E4M3, Shape.of(1, 160), ones);
        Weight w = new Weight(
                codes, new Scaling.Block(bench.floats("s", Shape.of(1, 2), 2, 0), 128, 128, ScaleFormat.FLOAT32));
        TensorRef y = bench.poisoned("y", DType.F32, 1, 1);
        TensorRef exact = bench.poisoned("exact", DType.F32, 1, 1);
        bench.run(new Linear(x, w, y), new Linear(wide, w, exact));
        assertArrayEquals(new float[] {2 * 16}, bench.read(y));
        assertArrayEquals(new float[] {2 * 17}, bench.read(exact));
    }

    @Test
    void productsRoundByTheFormatOfTheirWeight() {
        // 450 over 450/448 is the code 448; over 2 it is 225, and 224 is next to it.
        TensorRef x = bench.rounded("x", DType.BF16, Shape.of(1, 16), Arrays.copyOf(new float[] {450}, 16));
        TensorRef codes = bench.rounded("w", DType.E4M3, Shape.of(1, 16), unit(16, 0));
        TensorRef one = bench.floats("s", Shape.of(1, 1), 1);
        TensorRef exact = bench.poisoned("exact", DType.F32, 1, 1);
        TensorRef power = bench.poisoned("power", DType.F32, 1, 1);
        bench.run(
                new Linear(x, new Weight(codes, new Scaling.Block(one, 128, 128, ScaleFormat.FLOAT32)), exact),
                new Linear(x, new Weight(codes, new Scaling.Block(one, 128, 128, ScaleFormat.UE8M0)), power));
        assertArrayEquals(new float[] {450}, bench.read(exact));
        assertArrayEquals(new float[] {448}, bench.read(power));
    }

    @Test
    void roundingKeepsBlocksApartAndNeverDividesByZero() {
        float[] row = new float[200];
        Arrays.fill(row, 0, 128, 1000);
        row[128] = 3e-5f;
        Rounding.round(row, ScaleFormat.FLOAT32);
        assertEquals(1000, row[127], 1e-4f);
        assertEquals(3e-5f, row[128], 3e-5f / 16);
        assertEquals(0, row[199]);
    }

    @Test
    void powerOfTwoScalesAreRoundedUp() {
        // 448 · 2 needs exactly 2, 450 needs 1.004 and gets 2, and 1e-4 / 448 lies just below 2^-22.
        float[] row = new float[384];
        row[0] = 448 * 2;
        row[1] = 0x1p-8f;
        row[128] = 450;
        row[129] = 18;
        row[256] = 0x1p-24f;
        Rounding.round(row, ScaleFormat.UE8M0);
        assertEquals(448 * 2, row[0]);
        assertEquals(0x1p-8f, row[1]); // the least code, and half of it at a scale of 4
        assertEquals(448, row[128]); // 225 lies between the codes 224 and 240
        assertEquals(18, row[129]);
        assertEquals(0x1p-24f, row[256]);
    }

    private static float[] unit(int length, int at) {
        float[] values = new float[length];
        values[at] = 1;
        return values;
    }

    @Test
    void headLinearUsesItsRowsOfEachHead() {
        // Two heads of three rows: one row for the transposed product, two for the plain one.
        TensorRef w = bench.floats("w", Shape.of(6, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        TensorRef up = bench.floats("up", Shape.of(1, 2, 1), 10, 100);
        TensorRef latent = bench.poisoned("latent", DType.F32, 1, 2, 2);
        TensorRef down = bench.poisoned("down", DType.F32, 1, 2, 2);
        bench.run(new HeadLinear(up, Weight.plain(w), latent, 3, 0, true));
        assertArrayEquals(new float[] {10, 20, 700, 800}, bench.read(latent));
        TensorRef ones = bench.floats("ones", Shape.of(1, 2, 2), 1, 1, 1, 1);
        bench.run(new HeadLinear(ones, Weight.plain(w), down, 3, 1, false));
        assertArrayEquals(new float[] {7, 11, 19, 23}, bench.read(down));
    }

    @Test
    void rmsNormIgnoresPositiveScale() {
        TensorRef gain = bench.floats("gain", Shape.of(5), noise(1, 5));
        float[] values = noise(2, 10);
        float[] scaled = new float[10];
        for (int i = 0; i < 10; i++) {
            scaled[i] = 4 * values[i];
        }
        TensorRef y = bench.poisoned("y", DType.F32, 2, 5);
        TensorRef z = bench.poisoned("z", DType.F32, 2, 5);
        bench.run(
                new RmsNorm(bench.floats("x", Shape.of(2, 5), values), gain, y, 0),
                new RmsNorm(bench.floats("x4", Shape.of(2, 5), scaled), gain, z, 0));
        assertArrayEquals(bench.read(y), bench.read(z), 1e-7f);
    }

    @Test
    void rmsNormDividesByTheRootMeanSquare() {
        TensorRef x = bench.floats("x", Shape.of(1, 2), 3, 4);
        TensorRef gain = bench.floats("gain", Shape.of(2), 2, 1);
        TensorRef y = bench.poisoned("y", DType.F32, 1, 2);
        bench.run(new RmsNorm(x, gain, y, 0));
        float root = (float) Math.sqrt(12.5);
        assertArrayEquals(new float[] {6 / root, 4 / root}, bench.read(y), 1e-6f);
    }

    @Test
    void fusedAddAndNormRoundTheSumBeforeTheNorm() {
        TensorRef x = bench.rounded("x", DType.BF16, Shape.of(3, 8), noise(3, 24));
        TensorRef r = bench.rounded("r", DType.BF16, Shape.of(3, 8), noise(4, 24));
        TensorRef gain = bench.rounded("gain", DType.BF16, Shape.of(8), noise(5, 8));
        TensorRef sum = bench.poisoned("sum", DType.BF16, 3, 8);
        TensorRef y = bench.poisoned("y", DType.BF16, 3, 8);
        TensorRef fusedSum = bench.poisoned("fusedSum", DType.BF16, 3, 8);
        TensorRef fused = bench.poisoned("fused", DType.BF16, 3, 8);
        bench.run(
                new Add(x, r, sum), new RmsNorm(sum, gain, y, 1e-6), new AddRmsNorm(x, r, gain, fusedSum, fused, 1e-6));
        assertArrayEquals(bench.read(sum), bench.read(fusedSum));
        assertArrayEquals(bench.read(y), bench.read(fused));
    }

    @Test
    void swiGluGatesTheSecondHalf() {
        TensorRef x = bench.floats("x", Shape.of(1, 4), 0, 1, 5, 2);
        TensorRef y = bench.poisoned("y", DType.F32, 1, 2);
        bench.run(new SwiGlu(x, Optional.empty(), y));
        assertArrayEquals(new float[] {0, (float) (2 / (1 + Math.exp(-1)))}, bench.read(y), 1e-6f);
    }

    @Test
    void rotationTurnsPairsByTheirPositionsAngle() {
        TensorRef table = bench.floats("table", Shape.of(2, 2, 2), 1, 1, 0, 0, 0, 0, 1, 1);
        TensorRef x = bench.floats("x", Shape.of(2, 1, 4), 1, 2, 3, 4, 1, 2, 3, 4);
        TensorRef positions = bench.ints("positions", Shape.of(2), 0, 1);
        TensorRef interleaved = bench.poisoned("i", DType.F32, 2, 1, 4);
        TensorRef halves = bench.poisoned("h", DType.F32, 2, 1, 4);
        bench.run(
                new Rotary(x, positions, table, interleaved, Rotary.Layout.INTERLEAVED),
                new Rotary(x, positions, table, halves, Rotary.Layout.HALF_SPLIT));
        assertArrayEquals(new float[] {1, 2, 3, 4, -2, 1, -4, 3}, bench.read(interleaved));
        assertArrayEquals(new float[] {1, 2, 3, 4, -3, -4, 1, 2}, bench.read(halves));
    }

    @Test
    void cachedRowsComeBackFromTheirPages() {
        Batch batch = new Batch(List.of(3, 2), List.of(0, 0));
        PagedBatch paged = bench.paged(batch, 2);
        TensorRef cache = bench.poisoned("cache", DType.F32, 4, 2, 3);
        TensorRef latent = bench.floats("latent", Shape.of(5, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        TensorRef key = bench.floats("key", Shape.of(5, 1), -1, -2, -3, -4, -5);
        TensorRef rows = bench.poisoned("rows", DType.F32, 5, 3);
        bench.run(new LatentAppend(latent, key, cache, paged), new LatentGather(cache, rows, paged));
        assertArrayEquals(new float[] {1, 2, -1, 3, 4, -2, 5, 6, -3, 7, 8, -4, 9, 10, -5}, bench.read(rows));
        // Descending pages: the first sequence's first page is the last of the pool.
        assertEquals(1, bench.read(cache)[3 * 2 * 3]);
    }

    @Test
    void attentionOverOneKeyReturnsItsValue() {
        PagedBatch paged = bench.paged(Batch.uniform(2, 1, 0), 4);
        TensorRef cache = bench.floats("cache", Shape.of(2, 4, 3), noise(6, 24));
        TensorRef q = bench.floats("q", Shape.of(2, 2, 3), noise(7, 12));
        TensorRef out = bench.poisoned("out", DType.F32, 2, 2, 2);
        bench.run(new MlaDecodeAttention(q, cache, out, paged, 0.5));
        float[] rows = bench.read(cache);
        float[] result = bench.read(out);
        for (int b = 0; b < 2; b++) {
            int row = (1 - b) * 4 * 3;
            for (int h = 0; h < 2; h++) {
                assertEquals(rows[row], result[(b * 2 + h) * 2], 1e-7);
                assertEquals(rows[row + 1], result[(b * 2 + h) * 2 + 1], 1e-7);
            }
        }
    }

    @Test
    void prefillWeighsVisibleKeysOnly() {
        // Two tokens with equal keys: the first sees itself, the second the mean of both.
        PagedBatch paged = bench.paged(Batch.uniform(1, 2, 0), 4);
        TensorRef q = bench.floats("q", Shape.of(2, 1, 2), 1, 1, 1, 1);
        TensorRef kv = bench.floats("kv", Shape.of(2, 1, 2), 3, 10, 3, 20);
        TensorRef rope = bench.floats("rope", Shape.of(2, 1), 1, 1);
        TensorRef out = bench.poisoned("out", DType.F32, 2, 1, 1);
        bench.run(new MlaPrefillAttention(q, kv, rope, out, paged, 1));
        assertArrayEquals(new float[] {10, 15}, bench.read(out), 1e-6f);
    }

    @Test
    void decodeOfSeveralTokensIsCausalWithinTheStep() {
        PagedBatch paged = bench.paged(Batch.uniform(1, 2, 1), 4);
        TensorRef cache = bench.floats("cache", Shape.of(1, 4, 2), 1, 0, 5, 0, 9, 0, 99, 0);
        TensorRef q = bench.floats("q", Shape.of(2, 1, 2), 0, 0, 0, 0);
        TensorRef out = bench.poisoned("out", DType.F32, 2, 1, 1);
        bench.run(new MlaDecodeAttention(q, cache, out, paged, 1));
        assertArrayEquals(new float[] {3, 5}, bench.read(out), 1e-6f);
    }

    @Test
    void routingKeepsTheBestGroupsAndWeighsWithoutBias() {
        // Groups {0,1} and {2,3}; the bias lifts expert 3, and with it its group, but not its weight.
        TensorRef logits = bench.floats("logits", Shape.of(1, 4), 1, 1, 0, 0);
        TensorRef bias = bench.floats("bias", Shape.of(4), 0, 0, 0, 2);
        TensorRef ids = bench.poisoned("ids", DType.I32, 1, 2);
        TensorRef weights = bench.poisoned("weights", DType.F32, 1, 2);
        bench.run(new Route(logits, Optional.of(bias), ids, weights, new Routing.SigmoidGroups(2, 1, true, 2.5)));
        assertArrayEquals(new float[] {3, 2}, bench.read(ids));
        assertArrayEquals(new float[] {1.25f, 1.25f}, bench.read(weights), 1e-6f);
    }

    @Test
    void softmaxRoutingRenormalisesTheChosen() {
        TensorRef logits =
                bench.floats("logits", Shape.of(1, 3), (float) Math.log(1), (float) Math.log(2), (float) Math.log(5));
        TensorRef ids = bench.poisoned("ids", DType.I32, 1, 2);
        TensorRef weights = bench.poisoned("weights", DType.F32, 1, 2);
        bench.run(new Route(logits, Optional.empty(), ids, weights, new Routing.Softmax(true)));
        assertArrayEquals(new float[] {2, 1}, bench.read(ids));
        assertArrayEquals(new float[] {5f / 7, 2f / 7}, bench.read(weights), 1e-6f);
    }

    @Test
    void equalScoresGoToTheLowerExpert() {
        TensorRef logits = bench.floats("logits", Shape.of(1, 4), 0, 0, 0, 0);
        TensorRef ids = bench.poisoned("ids", DType.I32, 1, 3);
        TensorRef weights = bench.poisoned("weights", DType.F32, 1, 3);
        bench.run(new Route(logits, Optional.empty(), ids, weights, new Routing.Softmax(false)));
        assertArrayEquals(new float[] {0, 1, 2}, bench.read(ids));
        assertArrayEquals(new float[] {0.25f, 0.25f, 0.25f}, bench.read(weights));
    }

    @Test
    void gatheringAndCombiningWithWeightOneIsTheIdentityTimesTopK() {
        TensorRef ids = bench.ints("ids", Shape.of(3, 2), 2, 0, 1, 2, 0, 1);
        TensorRef offsets = bench.poisoned("offsets", DType.I32, 4);
        TensorRef pairs = bench.poisoned("pairs", DType.I32, 6);
        TensorRef slots = bench.poisoned("slots", DType.I32, 3, 2);
        TensorRef x = bench.floats("x", Shape.of(3, 2), 1, 2, 3, 4, 5, 6);
        TensorRef rows = bench.poisoned("rows", DType.F32, 6, 2);
        TensorRef weights = bench.floats("weights", Shape.of(3, 2), 1, 1, 1, 1, 1, 1);
        TensorRef y = bench.poisoned("y", DType.F32, 3, 2);
        bench.run(
                new SortByExpert(ids, offsets, pairs, slots, 0),
                new GatherRows(Activations.plain(x), pairs, Activations.plain(rows), 2),
                new Combine(rows, slots, weights, y));
        assertArrayEquals(new float[] {0, 2, 4, 6}, bench.read(offsets));
        assertArrayEquals(new float[] {1, 4, 2, 5, 0, 3}, bench.read(pairs));
        assertArrayEquals(new float[] {4, 0, 2, 5, 1, 3}, bench.read(slots));
        assertArrayEquals(new float[] {2, 4, 6, 8, 10, 12}, bench.read(y));
    }

    @Test
    void expertsThatLiveElsewhereGetNoRows() {
        TensorRef ids = bench.ints("ids", Shape.of(2, 2), 0, 3, 2, 1);
        TensorRef offsets = bench.poisoned("offsets", DType.I32, 3);
        TensorRef pairs = bench.poisoned("pairs", DType.I32, 4);
        TensorRef slots = bench.poisoned("slots", DType.I32, 2, 2);
        bench.run(new SortByExpert(ids, offsets, pairs, slots, 2));
        assertArrayEquals(new float[] {0, 1, 2}, bench.read(offsets));
        assertArrayEquals(new float[] {2, 1, -1, -1}, bench.read(pairs));
        assertArrayEquals(new float[] {-1, 1, 0, -1}, bench.read(slots));
    }

    @Test
    void groupedProductUsesEachExpertsMatrixAndLeavesSpareRows() {
        TensorRef x = bench.floats("x", Shape.of(3, 1), 1, 2, 3);
        TensorRef offsets = bench.ints("offsets", Shape.of(4), 0, 1, 1, 2);
        TensorRef w = bench.floats("w", Shape.of(3, 1, 1), 10, 100, 1000);
        TensorRef y = bench.poisoned("y", DType.F32, 3, 1);
        bench.run(new GroupedLinear(Activations.plain(x), offsets, Weight.plain(w), y, new ExpertLoad(2, 2)));
        float[] result = bench.read(y);
        assertEquals(10, result[0]);
        assertEquals(2000, result[1]);
        assertTrue(Float.isNaN(result[2]));
    }

    @Test
    void aProductForEachExpertMakesWhatOneOverAllMakes() {
        TensorRef x = bench.floats("x", Shape.of(5, 3), noise(1, 15));
        TensorRef offsets = bench.ints("offsets", Shape.of(5), 0, 2, 2, 4, 4);
        Weight w = Weight.plain(bench.floats("w", Shape.of(4, 2, 3), noise(2, 24)));
        TensorRef all = bench.poisoned("all", DType.F32, 5, 2);
        TensorRef each = bench.poisoned("each", DType.F32, 5, 2);
        GroupedLinear linear = new GroupedLinear(Activations.plain(x), offsets, w, each, new ExpertLoad(4, 2));
        Program loop = ExpertLoop.apply(new Program(List.of(new Step.Launch(linear, Lane.MAIN)), List.of(each)));
        bench.run(new GroupedLinear(Activations.plain(x), offsets, w, all, new ExpertLoad(4, 2)));
        bench.run(loop.operators().toArray(Operator[]::new));
        assertEquals(4, loop.operators().size());
        assertArrayEquals(bench.read(all), bench.read(each));
    }
}
