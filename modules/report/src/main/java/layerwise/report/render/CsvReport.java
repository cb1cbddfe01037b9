package layerwise.report.render;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import layerwise.report.profile.MergedTable;

/**
 * The table as CSV, byte for byte as the reference's parser writes it: module lines without values, microseconds with
 * one decimal, minimal quoting, CR LF.
 */
public final class CsvReport {
    private CsvReport() {}

    public static String render(MergedTable table) {
        StringBuilder csv = new StringBuilder();
        List<String> header = new ArrayList<>(List.of(""));
        header.addAll(table.titles());
        line(csv, header);
        for (TreeLines.Line line : TreeLines.of(table.rows())) {
            List<String> cells = new ArrayList<>(List.of(line.indented()));
            switch (line) {
                case TreeLines.Module module ->
                    cells.addAll(Collections.nCopies(table.titles().size(), ""));
                case TreeLines.Leaf leaf -> {
                    for (int p = 0; p < table.titles().size(); p++) {
                        cells.add(Numbers.micros(leaf.row().nanos(p)));
                    }
                }
            }
            line(csv, cells);
        }
        return csv.toString();
    }

    static void line(StringBuilder csv, List<String> cells) {
        csv.append(cells.stream().map(CsvReport::quoted).collect(Collectors.joining(",")))
                .append("\r\n");
    }

    private static String quoted(String cell) {
        boolean special = cell.chars().anyMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
        return special ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
    }
}
