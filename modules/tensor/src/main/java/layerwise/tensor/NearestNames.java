package layerwise.tensor;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The valid names that someone who wrote an invalid one most likely meant. */
public final class NearestNames {
    private static final int SHOWN = 3;

    private NearestNames() {}

    /**
     * The up to three {@code known} names closest to {@code wanted}, closest first, ties in their own order.
     *
     * <p>Closeness is the Levenshtein distance without regard to case. Names that share less than half of their
     * characters with the wanted one are no suggestion and left out.
     */
    public static List<String> of(String wanted, Collection<String> known) {
        record Candidate(String name, int distance) {}
        String folded = wanted.toLowerCase(Locale.ROOT);
        return known.stream()
                .map(name -> new Candidate(name, distance(folded, name.toLowerCase(Locale.ROOT))))
                .filter(candidate -> 2 * candidate.distance
                        <= Math.max(wanted.length(), candidate.name().length()))
                .sorted(Comparator.comparingInt(Candidate::distance))
                .limit(SHOWN)
                .map(Candidate::name)
                .toList();
    }

    /** {@code "; nearest: a, b"} to end a message with, or nothing where no name is near. */
    public static String hint(String wanted, Collection<String> known) {
        List<String> nearest = of(wanted, known);
        return nearest.isEmpty() ? "" : "; nearest: " + String.join(", ", nearest);
    }

    private static int distance(String a, String b) {
        int[] above = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(substituted, 1 + Math.min(above[j], row[j - 1]));
            }
            int[] done = row;
            row = above;
            above = done;
        }
        return above[b.length()];
    }
}
