package layerwise.trace;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Rows of one table while a recording grows: a primitive array per column, so that adding a row allocates nothing but
 * the growth of the arrays.
 */
final class Rows {
    /** Stands for SQL's NULL; no time, id or size takes this value. */
    static final long NULL = Long.MIN_VALUE;

    private final TraceTable table;
    private final long[][] columns;
    private int size;

    Rows(TraceTable table) {
        this.table = table;
        this.columns = new long[table.columns().size()][64];
    }

    TraceTable table() {
        return table;
    }

    int size() {
        return size;
    }

    /** Opens a row whose columns are all NULL; {@link #put} fills it. */
    void add() {
        if (size == columns[0].length) {
            for (int c = 0; c < columns.length; c++) {
                columns[c] = Arrays.copyOf(columns[c], Math.multiplyExact(size, 2));
            }
        }
        for (long[] column : columns) {
            column[size] = NULL;
        }
        size++;
    }

    /** Sets a column of the row opened last. */
    void put(int column, long value) {
        columns[column][size - 1] = value;
    }

    long at(int column, int row) {
        return columns[column][row];
    }

    /** Row numbers by ascending value of the first column, earlier rows first among equals. */
    int[] byFirstColumn() {
        long[] key = columns[0];
        boolean sorted = true;
        for (int row = 1; row < size && sorted; row++) {
            sorted = key[row - 1] <= key[row];
        }
        if (sorted) {
            return IntStream.range(0, size).toArray();
        }
        return IntStream.range(0, size)
                .boxed()
                .sorted((a, b) -> Long.compare(key[a], key[b]))
                .mapToInt(Integer::intValue)
                .toArray();
    }
}
