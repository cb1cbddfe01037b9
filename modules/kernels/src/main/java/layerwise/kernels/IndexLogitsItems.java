package layerwise.kernels;

import java.util.ArrayList;
import java.util.List;
import layerwise.op.Batch;

/** How index_logits.cu is divided: neighbouring tokens of a sequence, and so many keys of it. */
final class IndexLogitsItems {
    /** Keys that blocks take at once. */
    static final int TILE = 128;

    /** Most keys of an item: so many that queries are copied seldom, and so few that blocks end together. */
    private static final int MOST = 2048;

    /** Items for each block that make the work even. */
    private static final int ROUNDS = 4;

    private static final int INTS = 4;

    private final int tokens;
    private final int[] table;

    private IndexLogitsItems(int tokens, int[] table) {
        this.tokens = tokens;
        this.table = table;
    }

    /**
     * Of some of a step's tokens.
     *
     * @param first  the first of them, row 0
     * @param rows   how many
     * @param blocks that run at once
     */
    static IndexLogitsItems of(Batch batch, int first, int rows, int blocks) {
        int newest = AttentionOperands.newest(batch);
        int tokens = newest >= 3 ? 4 : newest;
        long keys = batch.reach(first, rows).pairs() / tokens;
        int tiles = Math.clamp(keys / ((long) TILE * blocks * ROUNDS), 1, MOST / TILE);
        List<int[]> items = new ArrayList<>();
        for (int from = 0; from < batch.longest(); from += tiles * TILE) {
            add(items, batch, first, rows, tokens, from, tiles * TILE);
        }
        int[] table = new int[INTS * items.size()];
        for (int i = 0; i < items.size(); i++) {
            System.arraycopy(items.get(i), 0, table, INTS * i, INTS);
        }
        return new IndexLogitsItems(tokens, table);
    }

    /** Items of one run of keys: all tokens look at them while they are in L2. */
    private static void add(List<int[]> items, Batch batch, int first, int rows, int tokens, int from, int keys) {
        int start = 0;
        for (int b = 0; b < batch.sequences(); b++) {
            int end = start + batch.queries().get(b);
            for (int t = Math.max(start, first); t < Math.min(end, first + rows); t += tokens) {
                int own = Math.min(tokens, Math.min(end, first + rows) - t);
                int visible = batch.past().get(b) + t - start + own;
                if (visible > from) {
                    items.add(new int[] {t - first, own | b << 8, from, Math.min(visible, from + keys)});
                }
            }
            start = end;
        }
    }

    /** Most tokens of an item: 1, 2 or 4. */
    int tokens() {
        return tokens;
    }

    /** Four int32 for each item: first row, rows + 256 · sequence, first key, key behind the last. */
    int[] table() {
        return table.clone();
    }

    int count() {
        return table.length / INTS;
    }
}
