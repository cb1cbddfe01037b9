package layerwise.bench.exchange;

import java.util.Arrays;
import java.util.List;
import layerwise.op.ExchangeLoad;
import layerwise.op.ExpertLoad;

/**
 * What choices of experts mean for one rank.
 *
 * @param rows     pairs of a token and one of this rank's experts
 * @param active   this rank's experts that have at least one
 * @param sent     pairs of one of this rank's tokens and another rank that has an expert of it
 * @param received pairs of another rank's token and this rank, the same way
 */
public record ChoiceLoad(long rows, long active, long sent, long received) {
    /**
     * Counts.
     *
     * @param choices expert numbers of each rank whose tokens differ, row by row
     * @param topK    numbers of a row
     * @param own     which of these ranks this one is
     * @param self    this rank among those that divide the experts
     * @param each    experts of a rank
     */
    public static ChoiceLoad of(List<int[]> choices, int topK, int own, int self, int each) {
        long rows = 0;
        long sent = 0;
        long received = 0;
        boolean[] active = new boolean[each];
        for (int rank = 0; rank < choices.size(); rank++) {
            int[] ids = choices.get(rank);
            for (int id : ids) {
                if (id / each == self) {
                    rows++;
                    active[id % each] = true;
                }
            }
            if (rank == own) {
                sent = pairs(ids, topK, each, self, false);
            } else {
                received += pairs(ids, topK, each, self, true);
            }
        }
        long used = 0;
        for (boolean one : active) {
            used += one ? 1 : 0;
        }
        return new ChoiceLoad(rows, used, sent, received);
    }

    /** Pairs of a token and a rank that has one of its experts: this rank only, or all others. */
    private static long pairs(int[] ids, int topK, int each, int self, boolean toSelf) {
        long pairs = 0;
        for (int row = 0; row < ids.length; row += topK) {
            pairs += Arrays.stream(ids, row, row + topK)
                    .map(id -> id / each)
                    .distinct()
                    .filter(rank -> (rank == self) == toSelf)
                    .count();
        }
        return pairs;
    }

    /** For the experts' products. */
    public ExpertLoad experts() {
        return new ExpertLoad(rows, active);
    }

    /** For the links, where tokens travel. */
    public ExchangeLoad exchange(boolean travels) {
        return travels ? new ExchangeLoad(sent, received) : new ExchangeLoad(0, 0);
    }
}
