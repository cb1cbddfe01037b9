package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.table.RankTable;

/** All ranks of a run in one table for each problem. */
public final class RankReport {
    private static final List<String> NAMES = List.of("# row", "ranks", "min", "mean", "max", "slowest rank");
    private static final List<String> UNITS = List.of("#", "", "(us)", "(us)", "(us)", "");

    private RankReport() {}

    public static String text(int worldSize, List<RankTable> tables) {
        StringBuilder text = new StringBuilder("# layerwise report of all " + worldSize + " ranks\n");
        for (RankTable table : tables) {
            text.append("\n\"").append(table.title()).append("\"\n");
            List<List<String>> lines = new ArrayList<>(List.of(NAMES, UNITS));
            table.rows().forEach(row -> lines.add(cells(row)));
            ColumnText.append(lines, NAMES.size(), text);
        }
        return text.toString();
    }

    public static String csv(List<RankTable> tables) {
        StringBuilder csv = new StringBuilder();
        CsvReport.line(csv, List.of("problem", "row", "ranks", "min", "mean", "max", "slowest rank"));
        for (RankTable table : tables) {
            for (RankTable.RankRow row : table.rows()) {
                List<String> cells = new ArrayList<>(List.of(table.title()));
                cells.addAll(cells(row));
                CsvReport.line(csv, cells);
            }
        }
        return csv.toString();
    }

    private static List<String> cells(RankTable.RankRow row) {
        List<String> path = new ArrayList<>(row.path());
        path.add(row.name());
        return List.of(
                String.join(" > ", path),
                String.valueOf(row.ranks()),
                Numbers.micros(row.min()),
                Numbers.micros(row.mean()),
                Numbers.micros(row.max()),
                String.valueOf(row.slowest()));
    }
}
