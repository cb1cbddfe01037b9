package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Every row of each problem with what the tree of means leaves out: median, P90, share and rates. */
final class RowText {
    private RowText() {}

    static void append(ReportContext context, StringBuilder text) {
        for (int p = 0; p < context.table().titles().size(); p++) {
            List<List<String>> lines = new ArrayList<>(Figures.heads(List.of("# row"), List.of("#")));
            boolean priced = false;
            for (TableLine line : context.lines()) {
                Optional<TableLine.Value> value = line.values().get(p);
                value.ifPresent(v -> lines.add(cells(line, v)));
                priced |= value.flatMap(TableLine.Value::cost).isPresent();
            }
            text.append("\nRows of \"").append(context.table().titles().get(p)).append("\"\n");
            ColumnText.append(lines, Figures.columns(1, priced), text);
        }
    }

    private static List<String> cells(TableLine line, TableLine.Value value) {
        String name = "|--".repeat(line.depth()) + line.name();
        return Figures.line(List.of(name), value.nanos(), value.samples(), value.share(), value.cost());
    }
}
