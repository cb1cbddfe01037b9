package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import layerwise.op.Batch;
import layerwise.op.IndexKeyAppend;
import layerwise.op.IndexKeys;
import layerwise.op.IndexLogits;
import layerwise.op.IndexQuery;
import layerwise.op.IndexTopK;
import layerwise.op.LatentAppend;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.PackedLatent;
import layerwise.op.PagedBatch;
import layerwise.op.PoolRows;
import layerwise.op.SparseMlaAttention;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The indexer and sparse attention by hand-computed values and by identities. */
class SparseOperatorsTest {
    private static float[] random(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Cosines and sines of a quarter turn at position 1, of none at position 0. */
    private static TensorRef quarterTurns(Bench bench) {
        return bench.floats("table", Shape.of(2, 2, 1), 1, 0, 0, 1);
    }

    @Test
    void queriesRotateInHalvesAndWeightsAreScaled() {
        try (Bench bench = new Bench()) {
            TensorRef q = bench.floats("q", Shape.of(2, 1, 4), 1, 2, 3, 4, 1, 2, 3, 4);
            TensorRef y = bench.poisoned("y", DType.F32, 2, 1, 4);
            TensorRef scaled = bench.poisoned("scaled", DType.F32, 2, 1);
            bench.run(new IndexQuery(
                    q,
                    bench.floats("w", Shape.of(2, 1), 6, 10),
                    bench.ints("p", Shape.of(2), 0, 1),
                    quarterTurns(bench),
                    y,
                    scaled));
            assertArrayEquals(new float[] {1, 2, 3, 4, -2, 1, 3, 4}, bench.read(y));
            assertArrayEquals(new float[] {3, 5}, bench.read(scaled));
        }
    }

    @Test
    void quantisedQueriesAreSpreadAndDividedByAPowerOfTwo() {
        try (Bench bench = new Bench()) {
            // The Hadamard matrix of order 4 over 2 turns one large element into four equal ones.
            TensorRef q = bench.floats("q", Shape.of(1, 1, 4), 0, 0, 2000, 0);
            TensorRef y = bench.poisoned("y", DType.E4M3, 1, 1, 4);
            TensorRef scaled = bench.poisoned("scaled", DType.F32, 1, 1);
            bench.run(new IndexQuery(
                    q,
                    bench.floats("w", Shape.of(1, 1), 2),
                    bench.ints("p", Shape.of(1), 0),
                    quarterTurns(bench),
                    y,
                    scaled));
            // 1000 over 4, the power of two above 1000/448, is 250, and E4M3 has 256 next to it.
            assertArrayEquals(new float[] {256, 256, -256, -256}, bench.read(y));
            assertArrayEquals(new float[] {2 * 0.5f * 4}, bench.read(scaled));
        }
    }

    @Test
    void scalesThatAreExactPowersOfTwoStay() {
        float[] x = {448 * 8, 1, -448 * 8};
        assertEquals(8, Rounding.divideByPowerOfTwo(x));
        assertArrayEquals(new float[] {448, 0.125f, -448}, x);
        float[] above = {Math.nextUp(448f * 8)};
        assertEquals(16, Rounding.divideByPowerOfTwo(above));
        float[] zeros = new float[3];
        assertEquals(0x1p-22f, Rounding.divideByPowerOfTwo(zeros));
    }

    @Test
    void hadamardKeepsProducts() {
        float[] a = random(1, 128);
        float[] b = random(2, 128);
        double before = Sums.dot(a, Sums.widened(b));
        Rounding.hadamard(a);
        Rounding.hadamard(b);
        assertEquals(before, Sums.dot(a, Sums.widened(b)), 1e-4);
    }

    @Test
    void keysAreNormalisedRotatedAndPaged() {
        try (Bench bench = new Bench()) {
            Batch batch = new Batch(List.of(2), List.of(0));
            PagedBatch paged = bench.paged(batch, 1);
            IndexKeys keys = new IndexKeys(
                    bench.poisoned("keys", DType.F32, 2, 1, 2), bench.poisoned("scales", DType.F32, 2, 1));
            bench.run(new IndexKeyAppend(
                    bench.floats("k", Shape.of(2, 2), 1, 3, 1, 3),
                    bench.floats("gain", Shape.of(2), 2, 3),
                    bench.floats("bias", Shape.of(2), 0, 1),
                    quarterTurns(bench),
                    keys,
                    paged,
                    0));
            // Normalised (-1, 1), then (-2, 4); at position 1, in the pool's first page, turned by a quarter.
            assertArrayEquals(new float[] {-4, -2, -2, 4}, bench.read(keys.elements()));
            assertArrayEquals(new float[] {1, 1}, bench.read(keys.scales()));
        }
    }

    @Test
    void scoresAddUpPositiveProductsUpToThePosition() {
        try (Bench bench = new Bench()) {
            PagedBatch paged = bench.paged(new Batch(List.of(2, 1), List.of(1, 0)), 2);
            IndexKeys keys = new IndexKeys(
                    // Pages of the pool: the second sequence's two, then the first's two.
                    bench.floats("keys", Shape.of(4, 2, 1), 0, 0, 9, 0, 3, 0, 1, -2),
                    bench.floats("scales", Shape.of(4, 2), 1, 1, 2, 1, 10, 1, 1, 100));
            TensorRef q = bench.floats("q", Shape.of(3, 2, 1), 1, -1, 2, -3, 1, 1);
            TensorRef weights = bench.floats("w", Shape.of(3, 2), 5, 7, 1, -1, 1, 1);
            TensorRef out = bench.poisoned("out", DType.F32, 3, 3);
            bench.run(new IndexLogits(q, weights, keys, out, paged, 0));
            float nan = Float.NaN;
            assertArrayEquals(new float[] {5, 700 * 2, nan, 2, -600, 60, 36, nan, nan}, bench.read(out));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void blocksOfTokensScoreLikeAll(int block) {
        try (Bench bench = new Bench()) {
            Batch batch = new Batch(List.of(3, 4, 1), List.of(2, 0, 6));
            PagedBatch paged = bench.paged(batch, 4);
            int tokens = batch.tokens();
            TensorRef q = bench.rounded("q", DType.E4M3, Shape.of(tokens, 3, 8), random(3, tokens * 24));
            TensorRef weights = bench.floats("w", Shape.of(tokens, 3), random(4, tokens * 3));
            int pool = (int) paged.pageTable().shape().elements();
            IndexKeys keys = new IndexKeys(
                    bench.rounded("keys", DType.E4M3, Shape.of(pool, 4, 8), random(5, pool * 32)),
                    bench.floats("scales", Shape.of(pool, 4), random(6, pool * 4)));
            TensorRef all = bench.poisoned("all", DType.F32, tokens, batch.longest());
            TensorRef parts = bench.poisoned("parts", DType.F32, tokens, batch.longest());
            bench.run(new IndexLogits(q, weights, keys, all, paged, 0));
            for (int first = 0; first < tokens; first += block) {
                int end = Math.min(first + block, tokens);
                bench.run(new IndexLogits(
                        q.slice(0, first, end),
                        weights.slice(0, first, end),
                        keys,
                        parts.slice(0, first, end),
                        paged,
                        first));
            }
            assertArrayEquals(bench.read(all), bench.read(parts));
        }
    }

    @Test
    void theGreatestAreChosenAmongVisibleOnesAndTiesCount() {
        assertArrayEquals(new int[] {1, 2}, Indexer.greatest(new float[] {0, 3, 1, 1}, 2));
        assertArrayEquals(new int[] {0, 1, -1}, Indexer.greatest(new float[] {-5, 2}, 3));
        Random random = new Random(7);
        for (int n = 1; n < 200; n++) {
            float[] scores = new float[n];
            for (int i = 0; i < n; i++) {
                scores[i] = random.nextInt(20);
            }
            int[] chosen = Indexer.greatest(scores, 16);
            float[] sorted = scores.clone();
            Arrays.sort(sorted);
            float[] best = Arrays.copyOfRange(sorted, Math.max(0, n - 16), n);
            int count = Math.min(16, n);
            float[] got = new float[count];
            TreeSet<Integer> different = new TreeSet<>();
            for (int j = 0; j < count; j++) {
                got[j] = scores[chosen[j]];
                different.add(chosen[j]);
            }
            Arrays.sort(got);
            assertArrayEquals(best, got);
            assertEquals(count, different.size());
        }
    }

    @Test
    void choiceLooksAtVisiblePositionsOnlyAndFindsTheirRows() {
        try (Bench bench = new Bench()) {
            PagedBatch paged = bench.paged(new Batch(List.of(1, 1), List.of(2, 0)), 2);
            TensorRef logits = bench.floats("logits", Shape.of(2, 3), 1, 3, 2, 1, Float.NaN, 9);
            TensorRef indices = bench.poisoned("indices", DType.I32, 2, 2);
            TensorRef rows = bench.poisoned("rows", DType.I32, 2, 2);
            bench.run(new IndexTopK(logits, paged.positions(), indices, 4), new PoolRows(indices, rows, paged, 2));
            assertArrayEquals(new float[] {1, 2, 0, -1}, bench.read(indices));
            // The first sequence has pages 3 and 2, the second page 1.
            assertArrayEquals(new float[] {7, 4, 2, -1}, bench.read(rows));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sparseAttentionOverEverythingIsDense(boolean packed) {
        try (Bench bench = new Bench()) {
            Batch batch = new Batch(List.of(2, 1), List.of(3, 6));
            PagedBatch paged = bench.paged(batch, 4);
            int pool = (int) paged.pageTable().shape().elements();
            TensorRef plain = bench.floats("plain", Shape.of(pool, 4, 12), new float[pool * 48]);
            TensorRef bytes = bench.poisoned("bytes", DType.I8, pool, 4, PackedLatent.bytes(8, 4));
            PagedBatch past = bench.paged("all", new Batch(List.of(5, 7), List.of(0, 0)), 4);
            // Powers of two survive E4M3 and its scale but for the rounding of the scale.
            float[] latents = new float[12 * 8];
            for (int i = 0; i < latents.length; i++) {
                latents[i] = Math.scalb(i % 3 == 0 ? -1f : 1f, -(i * 7 % 5));
            }
            TensorRef latent = bench.floats("latent", Shape.of(12, 8), latents);
            TensorRef key = bench.rounded("key", DType.BF16, Shape.of(12, 4), random(8, 48));
            bench.run(new LatentAppend(latent, key, plain, past), new LatentAppend(latent, key, bytes, past));
            TensorRef q = bench.floats("q", Shape.of(3, 2, 12), random(9, 72));
            TensorRef indices = bench.ints(
                    "indices", Shape.of(3, 7), 3, 0, 2, 1, -1, -1, -1, 0, 4, 1, 2, 3, -1, -1, 6, 0, 1, 5, 2, 4, 3);
            TensorRef rows = bench.poisoned("rows", DType.I32, 3, 7);
            TensorRef dense = bench.poisoned("dense", DType.F32, 3, 2, 8);
            TensorRef sparse = bench.poisoned("sparse", DType.F32, 3, 2, 8);
            bench.run(
                    new MlaDecodeAttention(q, plain, dense, paged, 0.3),
                    new PoolRows(indices, rows, paged, 4),
                    new SparseMlaAttention(q, packed ? bytes : plain, rows, paged.positions(), sparse, batch, 0.3));
            float[] expected = bench.read(dense);
            float[] actual = bench.read(sparse);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], actual[i], packed ? 1e-5 : 1e-6, "element " + i);
            }
            assertTrue(Math.abs(expected[0]) > 1e-3, "nothing to compare");
        }
    }
}
