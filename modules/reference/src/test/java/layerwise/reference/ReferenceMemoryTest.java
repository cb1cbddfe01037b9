package layerwise.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.Arena;
import java.util.List;
import layerwise.op.Add;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Replay;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

class ReferenceMemoryTest {
    private static final TensorRef A = Buffer.of("a", DType.F32, 1, 2).whole();
    private static final TensorRef Y = Buffer.of("y", DType.F32, 1, 2).whole();
    private static final Program TWICE = new Program(List.of(new Step.Launch(new Add(A, A, Y), Lane.MAIN)), List.of(Y));

    private static void put(Memory memory, Arena arena, float... values) {
        memory.put(
                A.buffer(), new Contents.Copied(List.of(HostTensor.copyOf(arena, DType.F32, Shape.of(1, 2), values))));
    }

    @Test
    void aCopyHasTheContentsOfItsSourceAndStaysWhenThatChanges() {
        try (Arena arena = Arena.ofConfined();
                ReferenceExecutor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
                Memory source = executor.allocate();
                Memory copy = executor.allocate()) {
            put(source, arena, 1, 2);
            copy.put(A.buffer(), new Contents.CopyOf(source));
            source.refill(A.buffer(), new Contents.Zeros());
            assertArrayEquals(new float[] {1, 2}, copy.read(A, arena).copyToFloats());
        }
    }

    @Test
    void executionsCapturedTogetherAllRun() {
        try (Arena arena = Arena.ofConfined();
                ReferenceExecutor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain());
                Memory one = executor.allocate();
                Memory two = executor.allocate()) {
            put(one, arena, 1, 2);
            put(two, arena, 3, 4);
            try (Execution first = executor.prepare(TWICE, one);
                    Execution second = executor.prepare(TWICE, two);
                    Replay replay = executor.capture(List.of(first, second))) {
                replay.launch();
                assertArrayEquals(
                        new float[] {2, 4}, first.memory().read(Y, arena).copyToFloats());
                assertArrayEquals(
                        new float[] {6, 8}, second.memory().read(Y, arena).copyToFloats());
            }
        }
    }
}
