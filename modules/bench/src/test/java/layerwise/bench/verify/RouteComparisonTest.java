package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Optional;
import layerwise.op.Buffer;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;

/** Eight experts in four groups of two, the best two groups, the best two experts of these. */
class RouteComparisonTest {
    private static final float[] LOGITS = {0, 0, 3, 1, 2, -1, -2, -3};

    private static RouteComparison of(float... logits) {
        Route op = new Route(
                Buffer.of("logits", DType.F32, 1, 8).whole(),
                Optional.empty(),
                Buffer.of("ids", DType.I32, 1, 2).whole(),
                Buffer.of("weights", DType.F32, 1, 2).whole(),
                new Routing.SigmoidGroups(4, 2, true, 2.5));
        try (Arena arena = Arena.ofConfined()) {
            return new RouteComparison(op, HostTensor.copyOf(arena, DType.F32, Shape.of(1, 8), logits), new float[8]);
        }
    }

    private static boolean accepts(RouteComparison comparison, int... ids) {
        return comparison.ids(ids, new int[] {2, 4}).isRight();
    }

    @Test
    void onlyTheBestExpertsPassWhereScoresDiffer() {
        RouteComparison comparison = of(LOGITS);
        assertTrue(accepts(comparison, 2, 4));
        assertFalse(accepts(comparison, 4, 2), "order");
        assertFalse(accepts(comparison, 2, 3), "a worse expert");
        assertFalse(accepts(comparison, 2, 2), "twice the same");
        assertFalse(accepts(comparison, 2, -1), "no expert");
        assertFalse(accepts(comparison, 2, 0), "a worse group");
    }

    @Test
    void expertsWithinRoundingOfEachOtherPassAndAreMentioned() {
        float[] logits = LOGITS.clone();
        logits[3] = Math.nextUp(2f);
        RouteComparison comparison = of(logits);
        // Groups are {0,1}, {2,3}, {4,5}: the choice lies between expert 3 and expert 4.
        assertTrue(accepts(comparison, 2, 4));
        Comparison tie = comparison.ids(new int[] {2, 3}, new int[] {2, 4});
        assertTrue(tie.isRight(), tie.remark());
        assertTrue(tie.remark().contains("scores alike"), tie.remark());
        logits[3] = 2.001f;
        assertFalse(of(logits).ids(new int[] {2, 4}, new int[] {2, 3}).isRight());
    }

    @Test
    void groupsWithinRoundingOfEachOtherPass() {
        // The second group's place: {2, -1} against {0, x} with sigmoids that add up to the same.
        double sum = 1 / (1 + Math.exp(-2)) + 1 / (1 + Math.exp(1));
        double rest = sum - 1 / (1 + Math.exp(-1.9));
        float[] logits = LOGITS.clone();
        logits[0] = 1.9f;
        logits[1] = (float) -Math.log(1 / rest - 1);
        assertTrue(accepts(of(logits), 2, 0));
        assertTrue(accepts(of(logits), 2, 4));
        logits[1] -= 0.01f;
        assertFalse(accepts(of(logits), 2, 0));
    }

    @Test
    void weightsAreThoseOfTheExpertsThatWereChosen() {
        RouteComparison comparison = of(LOGITS);
        double first = 1 / (1 + Math.exp(-3));
        double second = 1 / (1 + Math.exp(-2));
        double factor = 2.5 / (first + second);
        float[] right = {(float) (factor * first), (float) (factor * second)};
        assertTrue(comparison.weights(right, new int[] {2, 4}).isRight());
        assertFalse(comparison.weights(right, new int[] {2, 3}).isRight());
        right[1] *= 1 + 0x1p-17f;
        assertEquals(1, comparison.weights(right, new int[] {2, 4}).wrong());
    }
}
