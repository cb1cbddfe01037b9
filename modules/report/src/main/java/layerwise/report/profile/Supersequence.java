package layerwise.report.profile;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Shortest common supersequence of two sequences, with a fixed rule for ties: walking back from the ends, equal items
 * are taken together; otherwise the item of the first sequence is taken if that leaves a strictly shorter rest, else the
 * item of the second.
 */
public final class Supersequence {
    private static final byte BOTH = 0;
    private static final byte FIRST = 1;
    private static final byte SECOND = 2;

    private Supersequence() {}

    /** Merges two sequences; each is a subsequence of the result. */
    public static <T> List<T> merge(List<T> a, List<T> b) {
        int shared = Math.min(a.size(), b.size());
        int head = 0;
        while (head < shared && a.get(head).equals(b.get(head))) {
            head++;
        }
        int tail = 0;
        while (tail < shared - head && a.get(a.size() - 1 - tail).equals(b.get(b.size() - 1 - tail))) {
            tail++;
        }
        List<T> merged = new ArrayList<>(a.subList(0, head));
        merged.addAll(mergeMiddle(a.subList(head, a.size() - tail), b.subList(head, b.size() - tail)));
        merged.addAll(a.subList(a.size() - tail, a.size()));
        return merged;
    }

    private static <T> List<T> mergeMiddle(List<T> a, List<T> b) {
        byte[][] directions = directions(a, b);
        List<T> backwards = new ArrayList<>(a.size() + b.size());
        int i = a.size();
        int j = b.size();
        while (i > 0 && j > 0) {
            byte direction = directions[i - 1][j - 1];
            backwards.add(direction == SECOND ? b.get(j - 1) : a.get(i - 1));
            i -= direction == SECOND ? 0 : 1;
            j -= direction == FIRST ? 0 : 1;
        }
        while (i > 0) {
            backwards.add(a.get(--i));
        }
        while (j > 0) {
            backwards.add(b.get(--j));
        }
        return backwards.reversed();
    }

    private static <T> byte[][] directions(List<T> a, List<T> b) {
        Map<T, Integer> numbers = new HashMap<>();
        int[] x = numbered(a, numbers);
        int[] y = numbered(b, numbers);
        byte[][] directions = new byte[x.length][y.length];
        int[] above = new int[y.length + 1];
        int[] row = new int[y.length + 1];
        for (int j = 0; j <= y.length; j++) {
            above[j] = j;
        }
        for (int i = 1; i <= x.length; i++) {
            row[0] = i;
            for (int j = 1; j <= y.length; j++) {
                if (x[i - 1] == y[j - 1]) {
                    row[j] = above[j - 1] + 1;
                    directions[i - 1][j - 1] = BOTH;
                } else if (above[j] < row[j - 1]) {
                    row[j] = above[j] + 1;
                    directions[i - 1][j - 1] = FIRST;
                } else {
                    row[j] = row[j - 1] + 1;
                    directions[i - 1][j - 1] = SECOND;
                }
            }
            int[] finished = above;
            above = row;
            row = finished;
        }
        return directions;
    }

    private static <T> int[] numbered(List<T> items, Map<T, Integer> numbers) {
        int[] result = new int[items.size()];
        for (int i = 0; i < result.length; i++) {
            Integer known = numbers.putIfAbsent(items.get(i), numbers.size());
            result[i] = known == null ? numbers.size() - 1 : known;
        }
        return result;
    }
}
