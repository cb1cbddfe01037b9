package layerwise.bench.forward;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import layerwise.model.layer.Router;
import layerwise.op.Buffer;
import layerwise.op.Routing;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two tokens of width 1 and four experts; the norm makes every token 1, so the weights are the logits. */
class RoutingJudgeTest {
    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void close() {
        arena.close();
    }

    private static TensorRef floats(long... dims) {
        return Buffer.of("t", DType.F32, dims).whole();
    }

    private boolean[] undecided(Routing routing, float[] logits, int... ids) {
        Router router = new Router(floats(1), 1e-12, Weight.plain(floats(4, 1)), Optional.of(floats(4)), routing, 2);
        RoutingJudge judge = new RoutingJudge(router, new float[] {1}, logits, new float[4]);
        HostTensor stream = HostTensor.copyOf(arena, DType.F32, Shape.of(1, 2, 1), 2, 2);
        HostTensor mixer = HostTensor.copyOf(arena, DType.F32, Shape.of(1, 2, 1), 1, 1);
        return judge.undecided(List.of(stream, mixer), HostTensor.copyOf(arena, Shape.of(2, 2), ids));
    }

    private static Routing routing(boolean sigmoid) {
        return sigmoid ? new Routing.SigmoidGroups(1, 1, true, 1) : new Routing.Softmax(true);
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void aDifferentChoiceBetweenNearlyEqualExpertsIsUndecided(boolean sigmoid) {
        // Experts 1 and 2 differ by a thousandth, bfloat16 errors by a hundredth; token 0 chose 2 instead of 1.
        boolean[] result = undecided(routing(sigmoid), new float[] {2, 1.001f, 1, -2}, 0, 2, 0, 1);
        assertArrayEquals(new boolean[] {true, false}, result);
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void aDifferentChoiceAgainstAClearMarginIsAnError(boolean sigmoid) {
        boolean[] result = undecided(routing(sigmoid), new float[] {2, 1.5f, 1, -2}, 0, 2, 1, 0);
        assertArrayEquals(new boolean[] {false, false}, result);
    }
}
