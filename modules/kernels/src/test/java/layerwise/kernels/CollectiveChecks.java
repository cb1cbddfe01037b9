package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import layerwise.op.Add;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.AllToAllMethod;
import layerwise.op.Communicator;
import layerwise.op.ExchangeLoad;
import layerwise.op.Memory;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.Elements;

/**
 * What must hold for collectives of ranks that share one GPU, against plain Java: bit by bit, since kernels add in the
 * order of ranks, too. Every rank runs the same checks in the same order.
 */
final class CollectiveChecks {
    private static final int EXPERTS_PER_RANK = 3;
    private static final int CHOSEN = 2;

    /** Rows and widths: single elements, primes, what 16-byte accesses take and what they do not, a real layer's. */
    private static final int[][] SHAPES = {{1, 1}, {1, 8}, {3, 7}, {5, 1024}, {2, 127}, {6, 7168}, {37, 1031}};

    private final Communicator communicator;
    private final int ranks;
    private final int replays;

    /** @param replays how often a graph of each is replayed */
    CollectiveChecks(Communicator communicator, int replays) {
        this.communicator = communicator;
        this.ranks = communicator.group().size();
        this.replays = replays;
    }

    /** What a rank brings: the same on every rank that asks. */
    private static float[] brought(int rank, int count, DType dtype) {
        Random random = new Random(31L * count + rank);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 2 * random.nextFloat() - 1;
        }
        return RankProgram.rounded(dtype, values);
    }

    private static float[] sum(int ranks, int count, DType dtype) {
        float[] sums = new float[count];
        for (int rank = 0; rank < ranks; rank++) {
            float[] part = brought(rank, count, dtype);
            for (int i = 0; i < count; i++) {
                sums[i] += part[i];
            }
        }
        return RankProgram.rounded(dtype, sums);
    }

    /** Tokens that differ from rank to rank, one of them none. */
    private RankTokens ragged(int tokens) {
        return new RankTokens(
                communicator.group(),
                IntStream.range(0, ranks)
                        .mapToObj(rank -> ranks > 1 && rank == 1 ? 0 : tokens + rank)
                        .toList());
    }

    private int self() {
        return communicator.group().rank();
    }

    /** Different experts for each token of a rank. */
    private static int[] choices(int rank, int tokens, int ranks) {
        Random random = new Random(77L * tokens + rank);
        List<Integer> ids = new ArrayList<>();
        for (int t = 0; t < tokens; t++) {
            random.ints(0, EXPERTS_PER_RANK * ranks).distinct().limit(CHOSEN).forEach(ids::add);
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    private static boolean goesTo(int rank, int[] ids, int token) {
        return Arrays.stream(ids, token * CHOSEN, (token + 1) * CHOSEN).anyMatch(id -> id / EXPERTS_PER_RANK == rank);
    }

    void allReduce() {
        try (RankProgram rank = new RankProgram(communicator)) {
            for (DType dtype : List.of(DType.BF16, DType.F32)) {
                for (int[] shape : SHAPES) {
                    int count = shape[0] * shape[1];
                    String name = dtype + " " + Arrays.toString(shape);
                    float[] own = brought(self(), count, dtype);
                    TensorRef x = rank.put("x " + name, dtype, shape[0], shape[1], own);
                    TensorRef y = rank.poison("y " + name, dtype, shape[0], shape[1]);
                    float[] expected = sum(ranks, count, dtype);
                    rank.run(
                            replays,
                            (results, arena) -> assertArrayEquals(
                                    expected, results.read(y, arena).copyToFloats(), name),
                            new AllReduce(x, y, communicator.group()));
                }
            }
        }
    }

    void allReduceOfWhatAnOperatorMade() {
        try (RankProgram rank = new RankProgram(communicator)) {
            int count = 33 * 1024;
            TensorRef a = rank.put("a", DType.BF16, 33, 1024, brought(self(), count, DType.BF16));
            TensorRef zero = rank.put("zero", DType.BF16, 33, 1024, new float[count]);
            TensorRef x = RankProgram.unplaced("x", DType.BF16, 33, 1024);
            TensorRef y = RankProgram.unplaced("y", DType.BF16, 33, 1024);
            float[] expected = sum(ranks, count, DType.BF16);
            rank.run(
                    replays,
                    (results, arena) ->
                            assertArrayEquals(expected, results.read(y, arena).copyToFloats()),
                    new Add(a, zero, x),
                    new AllReduce(x, y, communicator.group()));
        }
    }

    void reduceScatter() {
        try (RankProgram rank = new RankProgram(communicator)) {
            for (DType dtype : List.of(DType.BF16, DType.F32)) {
                for (int[] shape : SHAPES) {
                    RankTokens tokens = ragged(shape[0]);
                    int width = shape[1];
                    int count = tokens.total() * width;
                    String name = dtype + " " + Arrays.toString(shape);
                    float[] own = brought(self(), count, dtype);
                    TensorRef x = rank.put("x " + name, dtype, tokens.total(), width, own);
                    TensorRef y = rank.poison("y " + name, dtype, tokens.own(), width);
                    float[] expected = Arrays.copyOfRange(
                            sum(ranks, count, dtype), tokens.first() * width, (tokens.first() + tokens.own()) * width);
                    rank.run(
                            replays,
                            (results, arena) -> assertArrayEquals(
                                    expected, results.read(y, arena).copyToFloats(), name),
                            new ReduceScatter(x, y, tokens));
                }
            }
        }
    }

    void allGather() {
        try (RankProgram rank = new RankProgram(communicator)) {
            for (int[] shape : SHAPES) {
                RankTokens tokens = ragged(shape[0]);
                String name = Arrays.toString(shape);
                List<AllGather.Part> parts = new ArrayList<>();
                List<float[]> expected = new ArrayList<>();
                for (DType dtype : List.of(DType.BF16, DType.F32, DType.BF16)) {
                    int width = shape[1] + parts.size();
                    float[] all = new float[0];
                    for (int peer = 0; peer < ranks; peer++) {
                        float[] rows = brought(peer, tokens.counts().get(peer) * width, dtype);
                        all = Arrays.copyOf(all, all.length + rows.length);
                        System.arraycopy(rows, 0, all, all.length - rows.length, rows.length);
                    }
                    String part = parts.size() + " " + name;
                    float[] own = brought(self(), tokens.own() * width, dtype);
                    parts.add(new AllGather.Part(
                            rank.put("x" + part, dtype, tokens.own(), width, own),
                            rank.poison("y" + part, dtype, tokens.total(), width)));
                    expected.add(all);
                }
                rank.run(
                        replays,
                        (results, arena) -> {
                            for (int i = 0; i < expected.size(); i++) {
                                TensorRef y = parts.get(i).y();
                                assertArrayEquals(
                                        expected.get(i), results.read(y, arena).copyToFloats(), y.toString());
                            }
                        },
                        new AllGather(parts, tokens));
            }
        }
    }

    void dispatch(AllToAllMethod method) {
        try (RankProgram rank = new RankProgram(communicator)) {
            for (int[] shape : SHAPES) {
                RankTokens tokens = ragged(shape[0]);
                Tokens all = new Tokens(rank, tokens, shape[1]);
                rank.run(replays, (results, arena) -> all.check(results, arena), all.dispatch(method));
            }
        }
    }

    /** Tokens of all ranks with their choices, and a dispatch of them. */
    private static final class Tokens {
        private final RankTokens tokens;
        private final int width;
        private final AllGather.Part x;
        private final AllGather.Part ids;
        private final AllGather.Part weights;

        Tokens(RankProgram rank, RankTokens tokens, int width) {
            this.tokens = tokens;
            this.width = width;
            int self = tokens.group().rank();
            int own = tokens.own();
            String name = tokens.own() + "x" + width;
            this.x = new AllGather.Part(
                    rank.put("x" + name, DType.BF16, own, width, brought(self, own * width, DType.BF16)),
                    rank.poison("y" + name, DType.BF16, tokens.total(), width));
            this.ids = new AllGather.Part(
                    rank.put(
                            "ids" + name,
                            own,
                            CHOSEN,
                            choices(self, own, tokens.group().size())),
                    rank.poison("all ids" + name, DType.I32, tokens.total(), CHOSEN));
            this.weights = new AllGather.Part(
                    rank.put("weights" + name, DType.F32, own, CHOSEN, brought(self, own * CHOSEN, DType.F32)),
                    rank.poison("all weights" + name, DType.F32, tokens.total(), CHOSEN));
        }

        AllToAllDispatch dispatch(AllToAllMethod method) {
            int experts = EXPERTS_PER_RANK * tokens.group().size();
            return new AllToAllDispatch(
                    x, ids, weights, tokens, experts, method, ExchangeLoad.expected(tokens, CHOSEN, experts));
        }

        void check(Memory results, Arena arena) {
            int self = tokens.group().rank();
            float[] rows = results.read(x.y(), arena).copyToFloats();
            int[] allIds = results.read(ids.y(), arena).copyToInts();
            float[] allWeights = results.read(weights.y(), arena).copyToFloats();
            for (int peer = 0; peer < tokens.group().size(); peer++) {
                int count = tokens.counts().get(peer);
                int first = tokens.first(peer);
                int[] chosen = choices(peer, count, tokens.group().size());
                float[] sent = brought(peer, count * width, DType.BF16);
                assertArrayEquals(chosen, Arrays.copyOfRange(allIds, first * CHOSEN, (first + count) * CHOSEN));
                assertArrayEquals(
                        brought(peer, count * CHOSEN, DType.F32),
                        Arrays.copyOfRange(allWeights, first * CHOSEN, (first + count) * CHOSEN));
                for (int t = 0; t < count; t++) {
                    boolean comes = goesTo(self, chosen, t);
                    for (int h = 0; h < width; h++) {
                        float expected = comes ? sent[t * width + h] : Float.NaN; // the poison that was there
                        assertEquals(expected, rows[(first + t) * width + h], "token " + t + " of rank " + peer);
                    }
                }
            }
        }
    }

    void combine(AllToAllMethod method, DType dtype, AllToAllCombine.Wire wire) {
        try (RankProgram rank = new RankProgram(communicator)) {
            int self = self();
            for (int[] shape : SHAPES) {
                RankTokens tokens = ragged(shape[0]);
                int width = shape[1];
                String name = Arrays.toString(shape);
                TensorRef x = rank.put("x" + name, dtype, tokens.total(), width, made(self, tokens, width, dtype));
                int[] chosen = choices(self, tokens.own(), ranks);
                TensorRef ids = rank.put("ids" + name, tokens.own(), CHOSEN, chosen);
                TensorRef y = rank.poison("y" + name, dtype, tokens.own(), width);
                float[] expected = new float[tokens.own() * width];
                for (int peer = 0; peer < ranks; peer++) {
                    float[] rows = made(peer, tokens, width, dtype);
                    for (int t = 0; t < tokens.own(); t++) {
                        int from = (tokens.first() + t) * width;
                        float[] row = Arrays.copyOfRange(rows, from, from + width);
                        if (goesTo(peer, chosen, t)) {
                            if (peer != self && wire == AllToAllCombine.Wire.FP8) {
                                roundToFp8(row);
                            }
                            for (int h = 0; h < width; h++) {
                                expected[t * width + h] += row[h];
                            }
                        }
                    }
                }
                int experts = EXPERTS_PER_RANK * ranks;
                float[] sums = RankProgram.rounded(dtype, expected);
                rank.run(
                        replays,
                        (results, arena) ->
                                assertArrayEquals(sums, results.read(y, arena).copyToFloats(), name),
                        new AllToAllCombine(
                                x,
                                ids,
                                y,
                                tokens,
                                experts,
                                method,
                                wire,
                                ExchangeLoad.expected(tokens, CHOSEN, experts)));
            }
        }
    }

    /** What a rank's experts made of all tokens; no number where it has none of a token's experts. */
    private static float[] made(int rank, RankTokens tokens, int width, DType dtype) {
        int ranks = tokens.group().size();
        float[] rows = brought(100 + rank, tokens.total() * width, dtype);
        for (int home = 0; home < ranks; home++) {
            int[] chosen = choices(home, tokens.counts().get(home), ranks);
            for (int t = 0; t < tokens.counts().get(home); t++) {
                if (!goesTo(rank, chosen, t)) {
                    int from = (tokens.first(home) + t) * width;
                    Arrays.fill(rows, from, from + width, Float.NaN);
                }
            }
        }
        return rows;
    }

    private static void roundToFp8(float[] row) {
        MemorySegment one = MemorySegment.ofArray(new byte[1]);
        for (int from = 0; from < row.length; from += AllToAllCombine.FP8_RUN) {
            int to = Math.min(row.length, from + AllToAllCombine.FP8_RUN);
            float largest = 0;
            for (int i = from; i < to; i++) {
                largest = Math.max(largest, Math.abs(row[i]));
            }
            float scale = largest == 0 ? 1 : largest / 448;
            for (int i = from; i < to; i++) {
                Elements.set(one, DType.E4M3, 0, row[i] / scale);
                row[i] = Elements.get(one, DType.E4M3, 0) * scale;
            }
        }
    }

    void thereAndBack(AllToAllMethod method) {
        try (RankProgram rank = new RankProgram(communicator)) {
            RankTokens tokens = RankTokens.uniform(communicator.group(), 16);
            int self = self();
            int experts = EXPERTS_PER_RANK * ranks;
            ExchangeLoad load = ExchangeLoad.expected(tokens, CHOSEN, experts);
            float[] own = brought(self, 16 * 1024, DType.BF16);
            int[] chosen = choices(self, 16, ranks);
            AllGather.Part x = new AllGather.Part(
                    rank.put("x", DType.BF16, 16, 1024, own),
                    RankProgram.unplaced("all x", DType.BF16, 16L * ranks, 1024));
            AllGather.Part ids = new AllGather.Part(
                    rank.put("ids", 16, CHOSEN, chosen),
                    RankProgram.unplaced("all ids", DType.I32, 16L * ranks, CHOSEN));
            AllGather.Part weights = new AllGather.Part(
                    rank.put("weights", DType.F32, 16, CHOSEN, new float[16 * CHOSEN]),
                    RankProgram.unplaced("all weights", DType.F32, 16L * ranks, CHOSEN));
            TensorRef home = RankProgram.unplaced("home", DType.BF16, 16, 1024);
            float[] expected = own.clone();
            for (int t = 0; t < 16; t++) {
                int token = t;
                long visited = IntStream.range(0, ranks)
                        .filter(peer -> goesTo(peer, chosen, token))
                        .count();
                for (int h = 0; h < 1024; h++) {
                    expected[t * 1024 + h] *= visited; // one or two copies of it come back
                }
            }
            rank.run(
                    replays,
                    (results, arena) -> assertArrayEquals(
                            RankProgram.rounded(DType.BF16, expected),
                            results.read(home, arena).copyToFloats()),
                    new AllToAllDispatch(x, ids, weights, tokens, experts, method, load),
                    new AllToAllCombine(
                            x.y(), ids.x(), home, tokens, experts, method, AllToAllCombine.Wire.STORED, load));
        }
    }
}
