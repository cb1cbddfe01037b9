package layerwise.op;

import java.util.Collections;
import java.util.List;

/**
 * How many tokens each rank brings to a collective: rows of a gathered tensor are those of rank 0, then rank 1, and so
 * on.
 *
 * @param group  the ranks
 * @param counts T of each rank, known to all of them; 0 is a rank that brings nothing but takes part
 */
public record RankTokens(RankGroup group, List<Integer> counts) {
    public RankTokens {
        counts = List.copyOf(counts);
        if (counts.size() != group.size() || counts.stream().anyMatch(count -> count < 0)) {
            throw new IllegalArgumentException("tokens %s of %d ranks".formatted(counts, group.size()));
        }
    }

    /** The same number on every rank. */
    public static RankTokens uniform(RankGroup group, int tokens) {
        return new RankTokens(group, Collections.nCopies(group.size(), tokens));
    }

    /** Tokens of this rank. */
    public int own() {
        return counts.get(group.rank());
    }

    /** Tokens of all ranks. */
    public int total() {
        return counts.stream().mapToInt(Integer::intValue).reduce(0, Math::addExact);
    }

    /** Row of a gathered tensor where a rank's tokens start. */
    public int first(int rank) {
        return counts.subList(0, rank).stream().mapToInt(Integer::intValue).sum();
    }

    /** Row of a gathered tensor where this rank's tokens start. */
    public int first() {
        return first(group.rank());
    }

    /** Tokens of the other ranks. */
    public int others() {
        return total() - own();
    }

    /** Rows of a gathered tensor that cross this rank's links at least, in the busier direction. */
    int linkRows() {
        return group.size() == 1 ? 0 : Math.max(own(), others());
    }
}
