package layerwise.op;

/**
 * The processes that a collective joins, seen by one of them.
 *
 * @param rank this process, 0 to {@code size − 1}
 * @param size R
 */
public record RankGroup(int rank, int size) {
    public RankGroup {
        if (size < 1 || rank < 0 || rank >= size) {
            throw new IllegalArgumentException("rank %d of %d".formatted(rank, size));
        }
    }

    /** One process alone. */
    public static RankGroup alone() {
        return new RankGroup(0, 1);
    }
}
