package layerwise.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

class ProgramTest {
    private static Add add(String name) {
        TensorRef x = Buffer.of("x", DType.F32, 1, 2).whole();
        return new Add(x, x, Buffer.of(name, DType.F32, 1, 2).whole());
    }

    @Test
    void builderPutsBesideOnTheAuxiliaryLaneBetweenForkAndJoin() {
        Program.Builder builder = Program.builder();
        builder.range("R", () -> builder.concurrently(() -> builder.launch(add("a")), () -> builder.launch(add("b"))));
        Program program = builder.build(List.of());
        assertEquals(
                List.of(
                        new Step.Enter("R"),
                        new Step.Fork(),
                        new Step.Launch(add("a"), Lane.MAIN),
                        new Step.Launch(add("b"), Lane.AUXILIARY),
                        new Step.Join(),
                        new Step.Leave()),
                program.steps());
        assertEquals(List.of(add("a"), add("b")), program.operators());
        assertInstanceOf(Step.Join.class, program.steps().get(4));
    }

    @Test
    void refusesWhatIsLeftOpenOrOutOfPlace() {
        List<Step> open = List.of(new Step.Enter("R"));
        assertThrows(IllegalArgumentException.class, () -> new Program(open, List.of()));
        List<Step> stray = List.of(new Step.Launch(add("a"), Lane.AUXILIARY));
        assertThrows(IllegalArgumentException.class, () -> new Program(stray, List.of()));
        Program.Builder builder = Program.builder();
        assertThrows(
                IllegalStateException.class,
                () -> builder.concurrently(() -> {}, () -> builder.concurrently(() -> {}, () -> {})));
    }
}
