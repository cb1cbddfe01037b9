package layerwise.report.table;

import static tech.tablesaw.aggregate.AggregateFunctions.max;
import static tech.tablesaw.aggregate.AggregateFunctions.mean;
import static tech.tablesaw.aggregate.AggregateFunctions.min;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.ProblemProfile;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.Row;
import tech.tablesaw.api.Table;

/**
 * One problem over all ranks.
 *
 * @param title the problem
 * @param rows  the ranks' rows, merged; overlap, space and total last
 */
public record RankTable(String title, List<RankRow> rows) {
    /**
     * One row over the ranks that have it, nanoseconds.
     *
     * @param means   the mean of every rank; empty for a rank without the row
     * @param min     least of the means
     * @param mean    mean of the means
     * @param max     greatest of the means
     * @param slowest the rank with the greatest mean
     */
    public record RankRow(
            List<String> path,
            String name,
            List<OptionalDouble> means,
            double min,
            double mean,
            double max,
            int slowest) {
        /** How many ranks have it. */
        public int ranks() {
            return (int) means.stream().filter(OptionalDouble::isPresent).count();
        }

        /** What the fastest rank takes less than the slowest, as a share of the latter. */
        public double spread() {
            return max > 0 ? (max - min) / max : 0;
        }
    }

    public RankTable {
        rows = List.copyOf(rows);
    }

    /** Merges the ranks' profiles of one problem, rank 0 first. */
    public static RankTable of(List<ProblemProfile> ranks) {
        MergedTable merged = MergedTable.of(ranks);
        IntColumn number = IntColumn.create("row");
        DoubleColumn nanos = DoubleColumn.create("nanos");
        int[] present = new int[merged.rows().size()];
        int[] slowest = new int[merged.rows().size()];
        for (int r = 0; r < merged.rows().size(); r++) {
            for (int rank = 0; rank < ranks.size(); rank++) {
                if (merged.rows().get(r).cells().get(rank).isPresent()) {
                    number.append(r);
                    nanos.append(merged.rows().get(r).nanos(rank));
                    boolean slower = merged.rows().get(r).nanos(rank)
                            > merged.rows().get(r).nanos(slowest[r]);
                    slowest[r] = present[r] == 0 || slower ? rank : slowest[r];
                    present[r]++;
                }
            }
        }
        Table sums = Table.create("ranks", number, nanos)
                .summarize("nanos", min, mean, max)
                .by("row")
                .sortAscendingOn("row");
        List<RankRow> rows = new ArrayList<>();
        for (Row sum : sums) {
            int r = sum.getInt("row");
            MergedTable.Row row = merged.rows().get(r);
            rows.add(new RankRow(
                    row.path(),
                    row.name(),
                    row.cells().stream()
                            .map(cell ->
                                    cell.map(c -> OptionalDouble.of(c.nanos())).orElseGet(OptionalDouble::empty))
                            .toList(),
                    sum.getDouble("Min [nanos]"),
                    sum.getDouble("Mean [nanos]"),
                    sum.getDouble("Max [nanos]"),
                    slowest[r]));
        }
        return new RankTable(ranks.getFirst().title(), rows);
    }
}
