package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllCombine.Wire;
import layerwise.op.AllToAllDispatch;
import layerwise.op.AllToAllMethod;
import layerwise.op.ExchangeLoad;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Collectives among threads; integers and powers of two make sums exact. */
class CollectivesTest {
    private static final ExchangeLoad LOAD = new ExchangeLoad(0, 0);
    private static final int WIDTH = 5;

    /** Small integers that differ between ranks and places. */
    private static float[] values(int rank, int count) {
        float[] values = new float[count];
        Random random = new Random(31 + rank);
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(-50, 50);
        }
        return values;
    }

    private static float[] sum(int ranks, int count) {
        float[] sum = new float[count];
        for (int rank = 0; rank < ranks; rank++) {
            float[] part = values(rank, count);
            for (int i = 0; i < count; i++) {
                sum[i] += part[i];
            }
        }
        return sum;
    }

    /** Ragged counts, one rank without any. */
    private static List<Integer> counts(int ranks) {
        Integer[] counts = new Integer[ranks];
        Arrays.setAll(counts, rank -> rank == 1 ? 0 : 2 + rank % 3);
        return List.of(counts);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void allReduceGivesEveryRankTheSum(int ranks) {
        List<float[]> results = ThreadRanks.run(ranks, communicator -> {
            try (Bench bench = new Bench(communicator)) {
                int rank = communicator.group().rank();
                TensorRef x = bench.floats("x", Shape.of(3, WIDTH), values(rank, 3 * WIDTH));
                TensorRef y = bench.poisoned("y", DType.F32, 3, WIDTH);
                bench.run(new AllReduce(x, y, communicator.group()));
                return bench.read(y);
            }
        });
        results.forEach(result -> assertArrayEquals(sum(ranks, 3 * WIDTH), result));
    }

    /** All-reduce is reduce-scatter then all-gather. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void reduceScatterThenAllGatherIsAllReduceForRaggedRows(int ranks) {
        int total = counts(ranks).stream().mapToInt(Integer::intValue).sum();
        List<float[]> results = ThreadRanks.run(ranks, communicator -> {
            try (Bench bench = new Bench(communicator)) {
                RankTokens tokens = new RankTokens(communicator.group(), counts(ranks));
                TensorRef x = bench.floats(
                        "x", Shape.of(total, WIDTH), values(communicator.group().rank(), total * WIDTH));
                TensorRef own = bench.poisoned("own", DType.F32, tokens.own(), WIDTH);
                TensorRef y = bench.poisoned("y", DType.F32, total, WIDTH);
                bench.run(
                        new ReduceScatter(x, own, tokens), new AllGather(List.of(new AllGather.Part(own, y)), tokens));
                return bench.read(y);
            }
        });
        results.forEach(result -> assertArrayEquals(sum(ranks, total * WIDTH), result));
    }

    /**
     * Every rank's experts double the rows that reach them, once for each expert a token has there: the way there and back
     * gives each token twice its own row for each of its experts, whatever the method.
     */
    @ParameterizedTest
    @EnumSource(AllToAllMethod.class)
    void whatIsDispatchedComesHomeOnceForEveryRankThatHasAnExpert(AllToAllMethod method) {
        int ranks = 4;
        int experts = 8;
        int topK = 3;
        List<float[][]> results = ThreadRanks.run(ranks, communicator -> {
            try (Bench bench = new Bench(communicator)) {
                int rank = communicator.group().rank();
                RankTokens tokens = new RankTokens(communicator.group(), counts(ranks));
                int own = tokens.own();
                int total = tokens.total();
                AllGather.Part x = new AllGather.Part(
                        bench.floats("x", Shape.of(own, WIDTH), values(rank, own * WIDTH)),
                        bench.poisoned("x_all", DType.F32, total, WIDTH));
                AllGather.Part ids = new AllGather.Part(
                        bench.ints("ids", Shape.of(own, topK), choices(rank, own, topK, experts)),
                        bench.poisoned("ids_all", DType.I32, total, topK));
                AllGather.Part weights = new AllGather.Part(
                        bench.floats("weights", Shape.of(own, topK), values(rank, own * topK)),
                        bench.poisoned("weights_all", DType.F32, total, topK));
                TensorRef y = bench.poisoned("y", DType.F32, own, WIDTH);
                bench.run(new AllToAllDispatch(x, ids, weights, tokens, experts, method, LOAD));
                bench.run(new AllToAllCombine(x.y(), ids.x(), y, tokens, experts, method, Wire.STORED, LOAD));
                return new float[][] {bench.read(y), bench.read(x.y()), bench.read(weights.y())};
            }
        });
        for (int rank = 0; rank < ranks; rank++) {
            int own = counts(ranks).get(rank);
            float[] rows = values(rank, own * WIDTH);
            int[] ids = choices(rank, own, topK, experts);
            for (int t = 0; t < own; t++) {
                long visited = Arrays.stream(ids, t * topK, (t + 1) * topK)
                        .map(id -> id / 2)
                        .distinct()
                        .count();
                for (int h = 0; h < WIDTH; h++) {
                    assertEquals(visited * rows[t * WIDTH + h], results.get(rank)[0][t * WIDTH + h]);
                }
            }
            assertDispatched(results.get(rank), rank, ranks, topK, experts);
        }
    }

    /** Rows arrive where an expert is, and nowhere else; weights arrive everywhere. */
    private static void assertDispatched(float[][] result, int self, int ranks, int topK, int experts) {
        int row = 0;
        for (int from = 0; from < ranks; from++) {
            int count = counts(ranks).get(from);
            float[] sent = values(from, count * WIDTH);
            float[] weights = values(from, count * topK);
            int[] ids = choices(from, count, topK, experts);
            for (int t = 0; t < count; t++, row++) {
                boolean here = Arrays.stream(ids, t * topK, (t + 1) * topK).anyMatch(id -> id / 2 == self);
                for (int h = 0; h < WIDTH; h++) {
                    float arrived = result[1][row * WIDTH + h];
                    assertTrue(here ? arrived == sent[t * WIDTH + h] : Float.isNaN(arrived), "row " + row);
                }
                for (int j = 0; j < topK; j++) {
                    assertEquals(weights[t * topK + j], result[2][row * topK + j]);
                }
            }
        }
    }

    /** Distinct experts of each token. */
    private static int[] choices(int rank, int tokens, int topK, int experts) {
        Random random = new Random(77 + rank);
        int[] ids = new int[tokens * topK];
        for (int t = 0; t < tokens; t++) {
            int[] chosen = random.ints(0, experts).distinct().limit(topK).toArray();
            System.arraycopy(chosen, 0, ids, t * topK, topK);
        }
        return ids;
    }

    @Test
    void lowPrecisionRoundsWhatTravelsAndNotWhatStays() {
        int width = 130; // a run of 128, then one of 2
        List<float[]> results = ThreadRanks.run(2, communicator -> {
            try (Bench bench = new Bench(communicator)) {
                int rank = communicator.group().rank();
                RankTokens tokens = RankTokens.uniform(communicator.group(), 1);
                float[] rows = new float[2 * width];
                Arrays.fill(rows, 0, width, 0.25f + rank); // exact in E4M3 under any scale? 448 is the largest: yes
                rows[1] = 1 / 3f;
                rows[width - 1] = 0; // a run of zeros but for nothing: scale 1
                rows[width - 2] = 0;
                TensorRef x = bench.floats("x", Shape.of(2, width), rows);
                TensorRef ids = bench.ints("ids", Shape.of(1, 2), 0, 1);
                TensorRef y = bench.poisoned("y", DType.F32, 1, width);
                bench.run(new AllToAllCombine(x, ids, y, tokens, 2, AllToAllMethod.NVLINK_TWO_SIDED, Wire.FP8, LOAD));
                return bench.read(y);
            }
        });
        // Rank 0 owns row 0: its own part stays 0.25 and 1/3; rank 1's part is 1.25 but for 1/3 beside it, which is
        // 1/3 / (1.25 / 448) = 119.47 in E4M3's steps of 8, so 120 of them: 120 * 1.25 / 448.
        assertEquals(0.25f + 1.25f, results.get(0)[0], 1e-6);
        assertEquals(1 / 3.0 + 120 * 1.25 / 448, results.get(0)[1], 1e-6);
        assertEquals(0, results.get(0)[width - 1]);
    }
}
