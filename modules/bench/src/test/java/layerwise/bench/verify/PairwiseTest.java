package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PairwiseTest {
    private static Set<List<Integer>> pairs(List<int[]> combinations, int first, int second) {
        Set<List<Integer>> pairs = new HashSet<>();
        combinations.forEach(one -> pairs.add(List.of(one[first], one[second])));
        return pairs;
    }

    @Test
    void everyPairIsInSomeCombination() {
        List<int[]> combinations = Pairwise.of(new int[] {5, 4, 3, 2}, one -> true);
        assertEquals(20, pairs(combinations, 0, 1).size());
        assertEquals(10, pairs(combinations, 0, 3).size());
        assertEquals(6, pairs(combinations, 2, 3).size());
        assertTrue(combinations.size() < 30, "of 120: " + combinations.size());
    }

    @Test
    void pairsThatAreNotAllowedAreLeftOut() {
        List<int[]> combinations = Pairwise.of(new int[] {3, 3, 2}, one -> one[0] != one[1]);
        assertEquals(6, pairs(combinations, 0, 1).size());
        assertEquals(6, pairs(combinations, 1, 2).size());
    }
}
