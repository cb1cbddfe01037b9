package layerwise.bench.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.RankGroup;
import layerwise.op.TensorRef;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.BFloat16;
import layerwise.tensor.WrongResultException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResultCheckTest {
    private static CollectiveShape shape(Collective collective, long bytes, int rank, int ranks) {
        return new CollectiveShape(collective, new ByteSize(bytes), new RankGroup(rank, ranks));
    }

    /** More rows than the numbers' period, so that the copies that repeat it are seen, too. */
    @ParameterizedTest
    @EnumSource(
            value = Collective.class,
            names = {"ALL_REDUCE", "ALL_GATHER", "REDUCE_SCATTER"})
    void passesWhatTheCollectiveLeavesAndRefusesWhatItDidNotWrite(Collective collective) {
        CollectiveShape shape = shape(collective, 16 * 509, 0, 1);
        assertEquals(8, shape.width());
        KnownNumbers numbers = new KnownNumbers(shape);
        ResultCheck check = new ResultCheck("this", shape, numbers);
        try (Executor device = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
                PreparedCollective prepared = PreparedCollective.of(device, shape, numbers)) {
            prepared.poison();
            String message = assertThrows(WrongResultException.class, () -> prepared.check(check))
                    .getMessage();
            assertTrue(message.startsWith("this: rank 0: element 0 is NaN, expected "), message);
            prepared.execution().run();
            prepared.check(check);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 8, 64})
    void sumsOfAllRanksAreExact(int ranks) {
        KnownNumbers numbers = new KnownNumbers(shape(Collective.ALL_REDUCE, 16L * ranks * 61, 0, ranks));
        boolean zero = true;
        for (long element = 0; element < 8L * 61 * ranks; element++) {
            float sum = numbers.expected(element);
            assertEquals(sum, BFloat16.decode(BFloat16.encode(sum)));
            assertTrue(sum <= 256, "partial sums are exact, too");
            zero &= sum == 0;
        }
        assertTrue(!zero);
    }

    @Test
    void partsComeFromTheirRanks() {
        long bytes = 4 * 16;
        KnownNumbers first = new KnownNumbers(shape(Collective.ALL_TO_ALL, bytes, 0, 2));
        KnownNumbers second = new KnownNumbers(shape(Collective.ALL_TO_ALL, bytes, 1, 2));
        KnownNumbers gathered = new KnownNumbers(shape(Collective.ALL_GATHER, bytes, 1, 2));
        KnownNumbers reduced = new KnownNumbers(shape(Collective.ALL_REDUCE, bytes, 1, 2));
        KnownNumbers scattered = new KnownNumbers(shape(Collective.REDUCE_SCATTER, bytes, 1, 2));
        for (int i = 0; i < 16; i++) {
            assertEquals(first.expected(i), gathered.expected(i), "rank 0's first part comes first");
            assertEquals(first.expected(16 + i), gathered.expected(16 + i), "rank 1's first part is next");
            assertEquals(
                    second.expected(i) + second.expected(16 + i), reduced.expected(16 + i), "both ranks' second parts");
            assertEquals(reduced.expected(16 + i), scattered.expected(i), "rank 1 gets the second part of the sum");
        }
    }

    @Test
    void endsOfEveryPartAreAmongWhatIsComparedOfALargeOne() {
        CollectiveShape shape = shape(Collective.ALL_GATHER, 32 << 20, 1, 4);
        List<TensorRef> runs = new ResultCheck("this", shape, new KnownNumbers(shape)).runs();
        long elements = shape.y().shape().elements();
        for (int part = 0; part < 4; part++) {
            long from = part * shape.part();
            assertTrue(runs.stream().anyMatch(run -> run.offset() == from));
            assertTrue(runs.stream().anyMatch(run -> run.offset() + run.shape().elements() == from + shape.part()));
        }
        assertTrue(runs.stream().mapToLong(run -> run.shape().elements()).sum() < elements / 10);
        assertEquals(
                List.of(shape(Collective.ALL_GATHER, 16 << 20, 1, 4).y()),
                new ResultCheck("this", shape(Collective.ALL_GATHER, 16 << 20, 1, 4), new KnownNumbers(shape)).runs());
    }
}
