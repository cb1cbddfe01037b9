package layerwise.trace;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Whole-number columns of one table, read in one pass; a missing column and NULL read as 0. */
final class LongColumns {
    private final long[][] arrays;
    private int size;

    LongColumns(Database database, String table, String... columns) {
        List<String> present = database.columns(table);
        int capacity = Math.max(16, database.denseRows(table));
        arrays = new long[columns.length][capacity];
        String selection = Stream.of(columns)
                .map(column -> present.contains(column) ? "ifnull(" + column + ",0)" : "0")
                .collect(Collectors.joining(","));
        database.scan("SELECT " + selection + " FROM " + table, row -> {
            if (size == arrays[0].length) {
                for (int c = 0; c < arrays.length; c++) {
                    arrays[c] = Arrays.copyOf(arrays[c], Math.multiplyExact(size, 2));
                }
            }
            for (int c = 0; c < arrays.length; c++) {
                arrays[c][size] = row.getLong(c + 1);
            }
            size++;
        });
    }

    long[][] arrays() {
        return arrays;
    }

    int size() {
        return size;
    }
}
