package layerwise.bench.exchange;

import java.util.Arrays;
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;

/** What the choices of all data-parallel ranks mean for every rank's experts and links, counted pair by pair. */
public final class RankLoads {
    private final int topK;
    private final int perRank;
    private final boolean travels;
    private final long[] rows;
    private final boolean[] active;
    private final long[] sent;
    private final long[] received;

    /**
     * Counts from nothing.
     *
     * @param ranks   that share the experts
     * @param experts E, a multiple of {@code ranks}
     * @param travels whether tokens are brought to their experts
     */
    public RankLoads(int ranks, int experts, int topK, boolean travels) {
        this.topK = topK;
        this.perRank = experts / ranks;
        this.travels = travels;
        rows = new long[ranks];
        active = new boolean[experts];
        sent = new long[ranks];
        received = new long[ranks];
    }

    /** Counts the choices of one rank's tokens, k a token, row by row. */
    public void add(int from, int[] ids) {
        int[] lastRow = new int[rows.length];
        Arrays.fill(lastRow, -1);
        for (int pair = 0; pair < ids.length; pair++) {
            int to = ids[pair] / perRank;
            rows[to]++;
            active[ids[pair]] = true;
            int row = pair / topK;
            if (to != from && lastRow[to] != row) {
                lastRow[to] = row; // a token travels to a rank once, however many experts it has there
                sent[from]++;
                received[to]++;
            }
        }
    }

    /** For the products of a rank's experts. */
    public ExpertLoad experts(int rank) {
        long used = 0;
        for (int e = rank * perRank; e < (rank + 1) * perRank; e++) {
            used += active[e] ? 1 : 0;
        }
        return new ExpertLoad(rows[rank], used);
    }

    /** For a rank's links. */
    public ExchangeLoad exchange(int rank) {
        return travels ? new ExchangeLoad(sent[rank], received[rank]) : new ExchangeLoad(0, 0);
    }
}
