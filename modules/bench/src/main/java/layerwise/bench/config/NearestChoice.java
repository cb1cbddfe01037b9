package layerwise.bench.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds the valid spelling that a wrong one most likely meant. */
public final class NearestChoice {
    private NearestChoice() {}

    /**
     * The choice with the least edit distance to {@code word}, ignoring case and the difference of dashes and
     * underscores; the first of several equally near ones. Empty only where there are no choices.
     */
    public static Optional<String> of(String word, Collection<String> choices) {
        String wanted = plain(word);
        return choices.stream().min(Comparator.comparingInt(choice -> editDistance(wanted, plain(choice))));
    }

    private static String plain(String word) {
        // Longer words than this are no misspellings; the bound keeps the distance cheap on hostile input.
        String start = word.length() > 100 ? word.substring(0, 100) : word;
        return start.toLowerCase(Locale.ROOT).replace('-', '_');
    }

    /** Levenshtein's distance: insertions, deletions and substitutions, each at cost one. */
    static int editDistance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
