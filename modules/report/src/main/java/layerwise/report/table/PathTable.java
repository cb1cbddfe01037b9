package layerwise.report.table;

import static tech.tablesaw.aggregate.AggregateFunctions.count;
import static tech.tablesaw.aggregate.AggregateFunctions.max;
import static tech.tablesaw.aggregate.AggregateFunctions.mean;
import static tech.tablesaw.aggregate.AggregateFunctions.median;
import static tech.tablesaw.aggregate.AggregateFunctions.min;
import static tech.tablesaw.aggregate.AggregateFunctions.sum;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import layerwise.report.profile.KernelListing;
import layerwise.report.profile.Samples;
import tech.tablesaw.aggregate.NumericAggregateFunction;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.LongColumn;
import tech.tablesaw.api.NumericColumn;
import tech.tablesaw.api.Row;
import tech.tablesaw.api.Table;

/** Groups the activities of a trace by path and name. */
public final class PathTable {
    /** tablesaw's own percentiles interpolate otherwise than every other number of ours. */
    private static final NumericAggregateFunction P90 = new NumericAggregateFunction("P90") {
        @Override
        public Double summarize(NumericColumn<?> column) {
            long[] values = new long[column.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (long) column.getDouble(i);
            }
            return new Samples(values).p90();
        }
    };

    private PathTable() {}

    private record Key(List<String> path, String fullName, String shortName) {}

    /** One row for each path and name, the largest sum first. */
    public static List<PathRow> of(List<KernelListing.Entry> entries) {
        Map<Key, Integer> numbers = new LinkedHashMap<>();
        IntColumn group = IntColumn.create("row"); // "group" is a name of tablesaw's own
        LongColumn nanos = LongColumn.create("nanos");
        double all = 0;
        for (KernelListing.Entry entry : entries) {
            Key key = new Key(entry.path(), entry.fullName(), entry.shortName());
            group.append(numbers.computeIfAbsent(key, added -> numbers.size()));
            nanos.append(entry.end() - entry.start());
            all += entry.end() - entry.start();
        }
        if (entries.isEmpty()) {
            return List.of();
        }
        Table sums = Table.create("activities", group, nanos)
                .summarize("nanos", count, sum, mean, median, P90, min, max)
                .by("row");
        List<Key> keys = List.copyOf(numbers.keySet());
        List<PathRow> rows = new ArrayList<>();
        for (Row row : sums) {
            Key key = keys.get(row.getInt("row"));
            double total = row.getDouble("Sum [nanos]");
            rows.add(new PathRow(
                    key.path(),
                    key.fullName(),
                    key.shortName(),
                    (int) row.getDouble("Count [nanos]"),
                    (long) total,
                    row.getDouble("Mean [nanos]"),
                    row.getDouble("Median [nanos]"),
                    row.getDouble("P90 [nanos]"),
                    row.getDouble("Min [nanos]"),
                    row.getDouble("Max [nanos]"),
                    all > 0 ? total / all : 0));
        }
        rows.sort(
                Comparator.comparingLong(PathRow::total).reversed().thenComparing(row -> row.path() + row.fullName()));
        return rows;
    }
}
