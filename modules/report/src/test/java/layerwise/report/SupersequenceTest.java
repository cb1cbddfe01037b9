package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import layerwise.report.profile.Supersequence;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SupersequenceTest {
    @ParameterizedTest
    @CsvSource({
        "ABC, ACB, ABCB",
        "ABC, AXCY, ABXCY",
        "AB, CD, ABCD",
        "ABCBDAB, BDCABA, ABCBDCABA",
        "AAB, ABB, AABB",
        "'', ABC, ABC",
        "ABC, '', ABC",
        "ABC, ABC, ABC"
    })
    void breaksTiesAsTheReferenceDoes(String a, String b, String expected) {
        assertEquals(expected, String.join("", Supersequence.merge(letters(a), letters(b))));
    }

    @Test
    void isShortestAndHoldsBoth() {
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            List<String> a = random(random);
            List<String> b = random(random);
            List<String> merged = Supersequence.merge(a, b);
            assertTrue(isSubsequence(a, merged) && isSubsequence(b, merged), a + " " + b + " " + merged);
            assertEquals(shortest(a, b), merged.size(), a + " " + b);
        }
    }

    /** Length by the textbook recurrence, without the shortcuts of the code under test. */
    private static int shortest(List<String> a, List<String> b) {
        int[][] length = new int[a.size() + 1][b.size() + 1];
        for (int i = 0; i <= a.size(); i++) {
            for (int j = 0; j <= b.size(); j++) {
                if (i == 0 || j == 0) {
                    length[i][j] = i + j;
                } else if (a.get(i - 1).equals(b.get(j - 1))) {
                    length[i][j] = length[i - 1][j - 1] + 1;
                } else {
                    length[i][j] = Math.min(length[i - 1][j], length[i][j - 1]) + 1;
                }
            }
        }
        return length[a.size()][b.size()];
    }

    private static boolean isSubsequence(List<String> part, List<String> whole) {
        int at = 0;
        for (String item : whole) {
            at += at < part.size() && part.get(at).equals(item) ? 1 : 0;
        }
        return at == part.size();
    }

    private static List<String> random(Random random) {
        List<String> items = new ArrayList<>();
        for (int i = random.nextInt(12); i > 0; i--) {
            items.add(String.valueOf((char) ('A' + random.nextInt(4))));
        }
        return items;
    }

    private static List<String> letters(String text) {
        return text.isEmpty() ? List.of() : Arrays.asList(text.split(""));
    }
}
