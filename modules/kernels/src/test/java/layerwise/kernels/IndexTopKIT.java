package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.op.Buffer;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.IndexTopK;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The 2,048 greatest scores of rows of every length that the indexer meets, against sorting. */
@Tag("gpu")
class IndexTopKIT {
    private static final int TOP = 2048;

    /** What rows hold. */
    enum Scores {
        NORMAL,
        /** Seven values: most rows have ties at the border. */
        FEW,
        ONE,
        /** Differ in the last bits of their mantissas. */
        CLOSE
    }

    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    private static float[] row(Random random, int length, Scores scores) {
        float[] row = new float[length];
        for (int i = 0; i < length; i++) {
            row[i] = switch (scores) {
                case NORMAL -> (float) random.nextGaussian();
                case FEW -> random.nextInt(7) - 3;
                case ONE -> 1.5f;
                case CLOSE -> 1 + Math.scalb((float) random.nextInt(5000), -23);
            };
        }
        return row;
    }

    @ParameterizedTest
    @EnumSource
    void everyLengthUpTo4100(Scores scores) {
        check(IntStream.rangeClosed(1, 4100).toArray(), scores);
    }

    @ParameterizedTest
    @EnumSource
    void powersOfTwoAndTheirNeighbours(Scores scores) {
        check(
                IntStream.rangeClosed(11, 17)
                        .flatMap(power -> IntStream.rangeClosed(-1, 1).map(beside -> (1 << power) + beside))
                        .filter(length -> length <= 131_072)
                        .toArray(),
                scores);
    }

    @ParameterizedTest
    @EnumSource
    void fiveHundredRandomLengths(Scores scores) {
        check(new Random(5).ints(500, 1, 20_000).toArray(), scores);
    }

    private static void check(int[] lengths, Scores scores) {
        int width = Math.ceilDiv(Arrays.stream(lengths).max().orElseThrow(), 8) * 8;
        Random random = new Random(7);
        float[][] rows = new float[lengths.length][];
        float[] all = new float[lengths.length * width];
        Arrays.fill(all, Float.NaN); // what lies beyond a row's length must not be looked at
        for (int r = 0; r < rows.length; r++) {
            rows[r] = row(random, lengths[r], scores);
            System.arraycopy(rows[r], 0, all, r * width, lengths[r]);
        }
        int[] positions = Arrays.stream(lengths).map(length -> length - 1).toArray();
        Buffer logits = Buffer.of("logits", DType.F32, rows.length, width);
        Buffer last = Buffer.of("positions", DType.I32, rows.length);
        Buffer indices = Buffer.of("indices", DType.I32, rows.length, TOP);
        long visible = Arrays.stream(lengths).asLongStream().sum();
        IndexTopK op = new IndexTopK(logits.whole(), last.whole(), indices.whole(), visible);
        try (Arena arena = Arena.ofConfined();
                CudaExecutor executor =
                        CudaExecutor.open(0, Journal.NONE, CudaOptions.plain(), Communicator.alone(), false);
                Memory memory = executor.allocate()) {
            memory.put(logits, new Contents.Copied(List.of(HostTensor.copyOf(arena, DType.F32, logits.shape(), all))));
            memory.put(last, new Contents.Copied(List.of(HostTensor.copyOf(arena, Shape.of(rows.length), positions))));
            memory.put(indices, new Contents.Poison());
            Program program = new Program(List.of(new Step.Launch(op, Lane.MAIN)), List.of(indices.whole()));
            try (Execution execution = executor.prepare(program, memory)) {
                execution.run();
                executor.synchronize();
                int[] chosen = memory.read(indices.whole(), arena).copyToInts();
                for (int r = 0; r < rows.length; r++) {
                    check(rows[r], Arrays.copyOfRange(chosen, r * TOP, (r + 1) * TOP));
                }
            }
        }
    }

    private static void check(float[] scores, int[] chosen) {
        String who = "row of " + scores.length;
        int count = Math.min(TOP, scores.length);
        int[] distinct = Arrays.stream(chosen, 0, count).distinct().toArray();
        assertEquals(count, distinct.length, who);
        assertTrue(Arrays.stream(distinct).allMatch(s -> s >= 0 && s < scores.length), who);
        assertTrue(Arrays.stream(chosen, count, TOP).allMatch(s -> s == -1), who);
        float[] got = new float[count];
        for (int j = 0; j < count; j++) {
            got[j] = scores[distinct[j]];
        }
        Arrays.sort(got);
        float[] sorted = scores.clone();
        Arrays.sort(sorted);
        assertEquals(-1, Arrays.mismatch(Arrays.copyOfRange(sorted, sorted.length - count, sorted.length), got), who);
    }
}
