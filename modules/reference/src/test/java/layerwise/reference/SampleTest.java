package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import layerwise.op.Activations;
import layerwise.op.Batch;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.ExpertLoad;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.GroupedLinear;
import layerwise.op.HeadLinear;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Linear;
import layerwise.op.Memory;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SampleTest {
    private static final TreeSet<Integer> EDGES = new TreeSet<>(List.of(63, 64, 127));

    @ParameterizedTest
    @CsvSource({"1,1", "17,5", "8193,37", "8193,4000", "5000,1"})
    void coversEveryColumnAndAtLeastTheRowsAskedForWithTheirEdges(int rows, int groups) {
        TreeSet<Integer> edges = new TreeSet<>(EDGES.headSet(rows));
        Sample sample = Sample.of(rows, edges, 4096, groups, 1);
        assertEquals(Math.min(rows, 4096), sample.size());
        int[] chosen = sample.rows();
        assertTrue(edges.stream().allMatch(edge -> Arrays.binarySearch(chosen, edge) >= 0));
        for (int column = 0; column < 7168; column += 511) {
            int[] own = sample.rows(sample.group(column, 7168));
            assertEquals(0, own[0]);
            assertEquals(rows - 1, own[own.length - 1]);
        }
    }

    @Test
    void rowsAndRunsAgreeOnWhatIsComputed() {
        Sample sample = Sample.of(100, EDGES.headSet(100), 40, 7, 2);
        int columns = 50;
        for (int row = 0; row < 100; row++) {
            boolean[] byRuns = new boolean[columns];
            sample.runs(row, columns).forEach(run -> Arrays.fill(byRuns, run.from(), run.to(), true));
            for (int column = 0; column < columns; column++) {
                boolean byRows = Arrays.binarySearch(sample.rows(sample.group(column, columns)), row) >= 0;
                assertEquals(byRows, byRuns[column], row + "," + column);
            }
        }
        assertFalse(sample.isComplete());
        assertTrue(Sample.all(100).isComplete());
    }

    @Test
    void rowsOfARangeAreThoseWithinIt() {
        Sample sample = Sample.of(100, EDGES.headSet(100), 40, 1, 3);
        int[] expected = Arrays.stream(sample.rows())
                .filter(row -> row >= 10 && row < 64)
                .toArray();
        assertArrayEquals(expected, sample.rows(0, 10, 64));
    }

    @Test
    void sampledProductsAndAttentionEqualTheWholeWhereComputedAndLeaveTheRest() {
        TensorRef x = tensor("x", 40, 32);
        TensorRef offsets = Buffer.of("offsets", DType.I32, 4).whole();
        Weight experts = Weight.plain(tensor("experts", 3, 24, 32));
        ExpertLoad load = new ExpertLoad(40, 3);
        assertSampled(new Linear(x, Weight.plain(tensor("w", 24, 32)), tensor("y", 40, 24)));
        assertSampled(new GroupedLinear(Activations.plain(x), offsets, experts, tensor("y", 40, 24), load));
        assertSampled(new GatedGroupedLinear(Activations.plain(x), offsets, experts, tensor("y", 40, 12), load));
        TensorRef heads = tensor("heads", 10, 4, 8);
        assertSampled(new HeadLinear(heads, Weight.plain(tensor("w", 4 * 6, 8)), tensor("y", 10, 4, 6), 6, 0, false));
        assertSampled(new HeadLinear(heads, Weight.plain(tensor("w", 4 * 8, 6)), tensor("y", 10, 4, 6), 8, 0, true));
        PagedBatch paged = new PagedBatch(
                new Batch(List.of(6, 4), List.of(0, 3)),
                Buffer.of("positions", DType.I32, 10).whole(),
                Buffer.of("starts", DType.I32, 3).whole(),
                Buffer.of("past", DType.I32, 2).whole(),
                Buffer.of("pages", DType.I32, 2, 1).whole(),
                Buffer.of("slots", DType.I32, 2).whole());
        assertSampled(new MlaPrefillAttention(
                tensor("q", 10, 4, 8),
                tensor("kv", 13, 4, 6 + 5),
                tensor("rope", 13, 2),
                tensor("y", 10, 4, 5),
                paged,
                0.3));
        assertSampled(new GqaPrefillAttention(
                tensor("q", 10, 4, 6),
                tensor("k", 13, 2, 6),
                tensor("v", 13, 2, 6),
                tensor("y", 10, 4, 6),
                paged,
                0.3));
    }

    private static TensorRef tensor(String name, long... dims) {
        return Buffer.of(name, DType.F32, dims).whole();
    }

    private static void assertSampled(Operator operator) {
        TensorRef y = operator.outputs().getFirst();
        int width = (int) y.dim(-1);
        int rows = (int) y.shape().elements() / width;
        int groups = switch (operator) {
            case HeadLinear _, MlaPrefillAttention _, GqaPrefillAttention _ -> 1;
            default -> 5;
        };
        Sample sample = Sample.of(rows, new TreeSet<>(), rows / 2, groups, 4);
        float[] whole = run(operator, Sampling.NONE);
        float[] part = run(operator, (op, count) -> sample);
        for (int row = 0; row < rows; row++) {
            boolean[] computed = new boolean[width];
            sample.runs(row, width).forEach(run -> Arrays.fill(computed, run.from(), run.to(), true));
            for (int i = 0; i < width; i++) {
                float expected = computed[i] ? whole[row * width + i] : Float.NaN;
                assertEquals(expected, part[row * width + i], operator.name() + " [" + row + "," + i + "]");
            }
        }
    }

    private static float[] run(Operator operator, Sampling sampling) {
        try (Arena arena = Arena.ofShared();
                ReferenceExecutor executor =
                        new ReferenceExecutor(Journal.NONE, Capabilities.plain(), Communicator.alone(), sampling);
                Memory memory = executor.allocate()) {
            for (TensorRef input : operator.inputs()) {
                memory.put(
                        input.buffer(),
                        input.buffer().name().equals("offsets")
                                ? new Contents.Copied(List.of(HostTensor.copyOf(arena, Shape.of(4), 0, 11, 11, 40)))
                                : new Contents.Uniform(
                                        -1, 1, input.buffer().name().hashCode()));
            }
            TensorRef y = operator.outputs().getFirst();
            memory.put(y.buffer(), new Contents.Poison());
            Program program = new Program(List.of(new Step.Launch(operator, Lane.MAIN)), operator.outputs());
            try (var execution = executor.prepare(program, memory)) {
                execution.run();
            }
            return memory.read(y, arena).copyToFloats();
        }
    }
}
