package layerwise.model.balance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** Claims about every selection of a bounded domain, checked by counting. */
class BalancePropertiesTest {
    private static final double[] RATIOS = {0, 0.3, 1};

    @Test
    void balancedSelectionsSpreadEvenlyOverExpertsRanksAndTokens() {
        for (int experts = 1; experts <= 34; experts++) {
            for (int ranks = 1; ranks <= experts; ranks++) {
                for (int topK = 1; experts % ranks == 0 && topK <= Math.min(10, experts); topK++) {
                    for (int tokens = 1; tokens <= 34; tokens++) {
                        checkBalanced(tokens, topK, experts, ranks, ranks);
                        checkBalanced(tokens, topK, experts, ranks, 1);
                    }
                }
            }
        }
    }

    private static void checkBalanced(int tokens, int topK, int experts, int ranks, int dpSize) {
        int[] tokensOfExpert = new int[experts];
        for (int dpRank = 0; dpRank < dpSize; dpRank++) {
            ExpertSelection selection = new ExpertSelection(tokens, topK, experts, ranks, dpSize, dpRank);
            int[] selected = select(selection, BalanceMethod.BALANCED, Double.NaN, Assignment.ROUND_ROBIN);
            checkRows(selection, selected);
            int[] slotsOfRank = new int[ranks];
            int[] tokensOfRank = new int[ranks];
            for (int token = 0; token < tokens; token++) {
                int before = -1;
                for (int slot = token * topK; slot < (token + 1) * topK; slot++) {
                    int rank = selected[slot] / (experts / ranks);
                    slotsOfRank[rank]++;
                    tokensOfRank[rank] += rank != before ? 1 : 0; // rows ascend, so a rank's slots are neighbours
                    before = rank;
                    tokensOfExpert[selected[slot]]++;
                }
            }
            assertTrue(spread(slotsOfRank) <= 1, () -> "slots of ranks: " + selection);
            assertTrue(spread(tokensOfRank) <= 1, () -> "tokens of ranks: " + selection);
        }
        assertTrue(
                spread(tokensOfExpert) <= 1,
                () -> "tokens of experts: " + new ExpertSelection(tokens, topK, experts, ranks, dpSize, 0));
    }

    @Test
    void imbalancedSelectionsKeepTheirPromises() {
        for (int experts = 1; experts <= 24; experts++) {
            for (int ranks = 1; ranks <= Math.min(12, experts); ranks++) {
                for (int topK = 1; experts % ranks == 0 && topK <= Math.min(8, experts); topK++) {
                    for (int tokens = 1; tokens <= 12; tokens++) {
                        checkImbalanced(tokens, topK, experts, ranks, ranks);
                        checkImbalanced(tokens, topK, experts, ranks, 1);
                    }
                }
            }
        }
    }

    private static void checkImbalanced(int tokens, int topK, int experts, int ranks, int dpSize) {
        for (BalanceMethod method :
                new BalanceMethod[] {BalanceMethod.IMBALANCED_RANKS, BalanceMethod.IMBALANCED_EXPERTS}) {
            if (method == BalanceMethod.IMBALANCED_RANKS && topK > experts / ranks) {
                continue; // refused
            }
            for (double ratio : RATIOS) {
                int[] tokensOfExpert = new int[experts];
                for (int dpRank = 0; dpRank < dpSize; dpRank++) {
                    ExpertSelection selection = new ExpertSelection(tokens, topK, experts, ranks, dpSize, dpRank);
                    int[] selected = select(selection, method, ratio, Assignment.ROUND_ROBIN);
                    checkRows(selection, selected);
                    checkRanks(selection, selected, method, ratio);
                    Arrays.stream(selected).forEach(expert -> tokensOfExpert[expert]++);
                }
                String what = method + " " + ratio + " " + new ExpertSelection(tokens, topK, experts, ranks, dpSize, 0);
                if (ratio > 0 && tokens >= Math.ceilDiv(experts, dpSize * topK)) {
                    assertTrue(Arrays.stream(tokensOfExpert).allMatch(count -> count > 0), what);
                }
                if (ratio == 1) {
                    assertTrue(spread(tokensOfExpert) <= 1, what);
                }
            }
        }
    }

    private static void checkRanks(ExpertSelection selection, int[] selected, BalanceMethod method, double ratio) {
        int perRank = selection.experts() / selection.epSize();
        int[] slotsOfRank = new int[selection.epSize()];
        Arrays.stream(selected).forEach(expert -> slotsOfRank[expert / perRank]++);
        if (method == BalanceMethod.IMBALANCED_EXPERTS) {
            assertTrue(spread(slotsOfRank) <= 2, () -> "slots of ranks: " + selection);
        } else if (ratio == 0) {
            assertTrue(slotsOfRank[0] == selected.length, () -> "not all on rank 0: " + selection);
        }
    }

    @Test
    void randomRowsGiveEveryExpertAsManyTokensOnEveryRank() {
        for (int experts = 1; experts <= 34; experts++) {
            for (int topK = 1; topK <= Math.min(10, experts); topK++) {
                for (int tokens = 1; tokens <= 34; tokens++) {
                    ExpertSelection selection = new ExpertSelection(tokens, topK, experts, 1, 1, 0);
                    int[] selected = select(selection, BalanceMethod.BALANCED, Double.NaN, Assignment.RANDOM);
                    checkRows(selection, selected);
                    int[] tokensOfExpert = new int[experts];
                    Arrays.stream(selected).forEach(expert -> tokensOfExpert[expert]++);
                    assertTrue(spread(tokensOfExpert) <= 1, () -> "tokens of experts: " + selection);
                    ExpertSelection last = new ExpertSelection(tokens, topK, experts, experts, experts, experts - 1);
                    assertArrayEquals(selected, select(last, BalanceMethod.BALANCED, Double.NaN, Assignment.RANDOM));
                }
            }
        }
    }

    @Test
    void randomRowsServeTheImbalancedMethodsToo() {
        ExpertSelection selection = new ExpertSelection(128, 8, 256, 4, 4, 2);

        for (double ratio : RATIOS) {
            checkRows(selection, select(selection, BalanceMethod.IMBALANCED_RANKS, ratio, Assignment.RANDOM));
            int[] selected = select(selection, BalanceMethod.IMBALANCED_EXPERTS, ratio, Assignment.RANDOM);
            checkRows(selection, selected);
            // Two experts a rank serve the narrow rows of eight.
            assertTrue(ratio != 0 || Arrays.stream(selected).allMatch(expert -> expert % 64 < 2));
        }
    }

    @Test
    void onlyTheExactWordAsksForRandomRows() {
        String variable = "TRTLLM_LAYERWISE_BENCHMARK_BALANCED_IMPL";

        assertTrue(Assignment.of(Map.of(variable, "RANDOM")) == Assignment.RANDOM);
        assertTrue(Assignment.of(Map.of(variable, "random")) == Assignment.ROUND_ROBIN);
        assertTrue(Assignment.of(Map.of()) == Assignment.ROUND_ROBIN);
    }

    private static int[] select(ExpertSelection selection, BalanceMethod method, double ratio, Assignment assignment) {
        OptionalDouble given = Double.isNaN(ratio) ? OptionalDouble.empty() : OptionalDouble.of(ratio);
        return selection.select(method, given, assignment).orElseThrow();
    }

    /** Every token has a row of experts that exist, ascending and so without duplicates. */
    private static void checkRows(ExpertSelection selection, int[] selected) {
        boolean valid = selected.length == selection.tokens() * selection.topK();
        for (int i = 0; i < selected.length; i++) {
            valid &= selected[i] >= 0 && selected[i] < selection.experts();
            valid &= i % selection.topK() == 0 || selected[i] > selected[i - 1];
        }
        assertTrue(valid, () -> selection + ": " + Arrays.toString(selected));
    }

    private static int spread(int[] counts) {
        return Arrays.stream(counts).max().orElseThrow()
                - Arrays.stream(counts).min().orElseThrow();
    }
}
