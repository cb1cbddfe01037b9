package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import layerwise.op.Activations;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.ScaleFormat;
import layerwise.op.SwiGluRoundRows;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

/** How rows in E4M3 are judged, and the cases that a GPU is tried with on the reference itself. */
class RoundedRowsTest {
    private static final SwiGluRoundRows OP = new SwiGluRoundRows(
            Buffer.of("x", DType.BF16, 1, 32).whole(),
            Optional.empty(),
            Activations.rounded("y", 1, 16),
            ScaleFormat.UE8M0,
            1);

    @Test
    void everyCaseIsItsOwnReference() {
        try (Executor reference = new ReferenceExecutor(Journal.NONE, Capabilities.plain())) {
            assertEquals(List.of(), RoundedRowsCase.check(reference, RoundedRowsCase.all()));
        }
    }

    private static RoundedComparison rows(Arena arena, float scale, float... codes) {
        return new RoundedComparison(
                HostTensor.copyOf(arena, DType.E4M3, Shape.of(1, codes.length), codes),
                HostTensor.copyOf(arena, DType.F32, Shape.of(1, 1), scale));
    }

    @Test
    void codesOfAnotherScaleAreTheSameNumbers() {
        try (Arena arena = Arena.ofConfined()) {
            Tolerance tolerance = Tolerance.of(OP, DType.E4M3);
            RoundedComparison expected = rows(arena, 1, 448, 104, 20, 0x1p-9f);
            assertTrue(rows(arena, 2, 224, 52, 10, 0).with(expected, tolerance).isRight());
            assertTrue(rows(arena, 1, 448, 112, 20, 0).with(expected, tolerance).isRight());
            assertFalse(rows(arena, 1, 448, 120, 20, 0x1p-9f)
                    .with(expected, tolerance)
                    .isRight());
            assertFalse(rows(arena, 2, 448, 104, 20, 0x1p-9f)
                    .with(expected, tolerance)
                    .isRight());
        }
    }
}
