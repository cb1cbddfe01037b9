package layerwise.bench.run;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import layerwise.op.Add;
import layerwise.op.Buffer;
import layerwise.op.Summary;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.WrongResultException;
import org.junit.jupiter.api.Test;

class OutputCheckTest {
    private static final TensorRef X = Buffer.of("x", DType.BF16, 3, 4).whole();
    private static final Add ADD =
            new Add(X, X, Buffer.of("y", DType.BF16, 3, 4).whole());

    @Test
    void namesTheOperatorAndCountsWhatIsNoNumber() {
        var failure = assertThrows(WrongResultException.class, () -> OutputCheck.check(ADD, new Summary(12, 2, 1, 12)));
        assertEquals(
                "Add 3x4: 2 NaNs and 1 infinities among 12 elements, please fix weights initialization",
                failure.getMessage());
        assertDoesNotThrow(() -> OutputCheck.check(ADD, new Summary(12, 0, 0, 12)));
    }

    @Test
    void refusesHiddenStatesOfWhichMoreThanHalfIsZero() {
        assertThrows(WrongResultException.class, () -> OutputCheck.check(new Summary(12, 1, 0, 0)));
        assertThrows(WrongResultException.class, () -> OutputCheck.check(new Summary(12, 0, 1, 0)));
        assertThrows(WrongResultException.class, () -> OutputCheck.check(new Summary(12, 0, 0, 7)));
        assertDoesNotThrow(() -> OutputCheck.check(new Summary(12, 0, 0, 6)));
    }
}
