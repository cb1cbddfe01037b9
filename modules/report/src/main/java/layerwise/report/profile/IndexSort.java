package layerwise.report.profile;

/** Stable sorting of index arrays without boxing; data that is sorted already costs one pass. */
final class IndexSort {
    private static final int INSERTION = 16;

    private IndexSort() {}

    /** An order of indices. */
    interface Order {
        /** Negative, zero or positive as {@code a} comes before, with or after {@code b}. */
        int compare(int a, int b);
    }

    static void sort(int[] indices, int from, int to, Order order) {
        for (int i = from + 1; i < to; i++) {
            if (order.compare(indices[i - 1], indices[i]) > 0) {
                merge(indices, new int[to - from], from, to, order);
                return;
            }
        }
    }

    private static void merge(int[] indices, int[] scratch, int from, int to, Order order) {
        if (to - from <= INSERTION) {
            insert(indices, from, to, order);
            return;
        }
        int middle = (from + to) >>> 1;
        merge(indices, scratch, from, middle, order);
        merge(indices, scratch, middle, to, order);
        if (order.compare(indices[middle - 1], indices[middle]) <= 0) {
            return;
        }
        int left = middle - from;
        System.arraycopy(indices, from, scratch, 0, left);
        int a = 0;
        int b = middle;
        int out = from;
        while (a < left && b < to) {
            indices[out++] = order.compare(scratch[a], indices[b]) <= 0 ? scratch[a++] : indices[b++];
        }
        System.arraycopy(scratch, a, indices, out, left - a);
    }

    private static void insert(int[] indices, int from, int to, Order order) {
        for (int i = from + 1; i < to; i++) {
            int moved = indices[i];
            int at = i;
            while (at > from && order.compare(indices[at - 1], moved) > 0) {
                indices[at] = indices[at - 1];
                at--;
            }
            indices[at] = moved;
        }
    }
}
