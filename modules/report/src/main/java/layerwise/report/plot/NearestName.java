package layerwise.report.plot;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** The valid name that someone who wrote an invalid one most likely meant. */
final class NearestName {
    private NearestName() {}

    /** {@code "; did you mean X?"} to end a message with, or nothing where no name shares half of its characters. */
    static String hint(String wanted, Collection<String> known) {
        return of(wanted, known).map(name -> "; did you mean " + name + "?").orElse("");
    }

    /** The name at the least Levenshtein distance, without regard to case; one that was only begun is at none. */
    private static Optional<String> of(String wanted, Collection<String> known) {
        return known.stream()
                .min(Comparator.comparingInt(name -> distance(wanted, name)))
                .filter(name -> 2 * distance(wanted, name) <= Math.max(wanted.length(), name.length()));
    }

    private static int distance(String one, String other) {
        String a = one.toLowerCase(Locale.ROOT);
        String b = other.toLowerCase(Locale.ROOT);
        if (b.startsWith(a)) {
            return 0;
        }
        int[] above = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(substituted, 1 + Math.min(above[j], row[j - 1]));
            }
            above = row;
        }
        return above[b.length()];
    }
}
