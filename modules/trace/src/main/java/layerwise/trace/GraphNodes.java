package layerwise.trace;

/**
 * Where executed graph nodes were captured.
 *
 * <p>An executed node leads over its creation row to the node it was cloned from, and on to the node that capture
 * created; the instant of that creation lies inside the captured call, so inside the ranges that were open then.
 */
public final class GraphNodes {
    private static final int MAX_HOPS = 64;

    private final long[][] columns;
    private final PairIndex clones;
    private final PairIndex creations;
    private final int size;

    /** Columns: start, end, globalTid, graphNodeId, originalGraphNodeId (0 for none). */
    GraphNodes(long[][] columns, int size) {
        this.columns = columns;
        this.size = size;
        this.clones = new PairIndex(size);
        this.creations = new PairIndex(size);
        for (int row = 0; row < size; row++) {
            int process = Processes.key(columns[2][row]);
            long node = columns[3][row];
            PairIndex kind = columns[4][row] != 0 ? clones : creations;
            int known = kind.find(process, node);
            // A node instantiated again keeps its newest clone; a node is born once, at its first creation row.
            boolean newest = kind == clones;
            if (known < 0 || (newest == columns[0][row] >= columns[0][known])) {
                kind.put(process, node, row);
            }
        }
    }

    /** Number of rows, an upper bound of what {@link #captured} returns. */
    public int size() {
        return size;
    }

    /**
     * The creation row of the captured node behind an executed node.
     *
     * @return its number for {@link #start} and {@link #end}; -1 if the trace does not lead to one
     */
    public int captured(int process, long node) {
        int clone = clones.find(process, node);
        if (clone < 0) {
            return -1;
        }
        long original = node;
        for (int hops = 0; clone >= 0; hops++) {
            if (hops == MAX_HOPS) {
                return -1;
            }
            original = columns[4][clone];
            clone = clones.find(process, original);
        }
        return creations.find(process, original);
    }

    /** Begin of a creation, nanoseconds since the session's start. */
    public long start(int creation) {
        return columns[0][creation];
    }

    /** End of a creation, nanoseconds since the session's start. */
    public long end(int creation) {
        return columns[1][creation];
    }
}
