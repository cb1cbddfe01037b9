package layerwise.report.html;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import layerwise.report.render.Numbers;
import layerwise.report.table.RankTable;

/** All ranks of a run: a table for each problem, the slowest rank of every row set off. */
public final class RankPage {
    private RankPage() {}

    public static String render(String source, int worldSize, List<RankTable> tables) {
        return TablePage.render(
                "Kernel latency over " + worldSize + " ranks",
                List.of(
                        source,
                        "Means of each rank's runs in microseconds; the spread is what the fastest rank takes less than the slowest; every number is"
                                + " defined in docs/definitions.md."),
                tables.stream().map(table -> block(table, worldSize)).toList());
    }

    private static TablePage.Block block(RankTable table, int worldSize) {
        List<TablePage.Column> columns = new ArrayList<>(List.of(
                TablePage.Column.text("row"),
                TablePage.Column.figures("ranks", ""),
                TablePage.Column.figures("min", "us"),
                TablePage.Column.figures("mean", "us"),
                TablePage.Column.figures("max", "us"),
                TablePage.Column.figures("spread", "%"),
                TablePage.Column.figures("slowest rank", "")));
        for (int rank = 0; rank < worldSize; rank++) {
            columns.add(TablePage.Column.figures("rank " + rank, "us"));
        }
        return new TablePage.Block(
                table.title(), columns, table.rows().stream().map(RankPage::row).toList());
    }

    private static List<TablePage.Cell> row(RankTable.RankRow row) {
        List<String> path = new ArrayList<>(row.path());
        path.add(row.name());
        List<TablePage.Cell> cells = new ArrayList<>(List.of(
                TablePage.Cell.of(String.join(" > ", path)),
                TablePage.Cell.of(String.valueOf(row.ranks())),
                TablePage.Cell.of(Numbers.micros(row.min())),
                TablePage.Cell.of(Numbers.micros(row.mean())),
                TablePage.Cell.of(Numbers.micros(row.max())),
                new TablePage.Cell(Numbers.percent(row.spread()), row.spread(), false),
                TablePage.Cell.of(String.valueOf(row.slowest()))));
        for (int rank = 0; rank < row.means().size(); rank++) {
            OptionalDouble mean = row.means().get(rank);
            String text = mean.isPresent() ? Numbers.micros(mean.getAsDouble()) : "";
            cells.add(new TablePage.Cell(text, 0, rank == row.slowest() && row.spread() > 0));
        }
        return cells;
    }
}
