package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;

/** Aligned columns: the first to the left, figures to the right. */
final class ColumnText {
    private static final int NAME_LIMIT = 80;

    private ColumnText() {}

    /** Appends the lines with as many columns as asked for; long names in the first keep their ends. */
    static void append(List<List<String>> whole, int columns, StringBuilder text) {
        List<List<String>> lines = whole.stream().map(ColumnText::shortened).toList();
        int[] widths = new int[columns];
        for (List<String> line : lines) {
            for (int c = 0; c < columns; c++) {
                widths[c] = Math.max(widths[c], length(line.get(c)));
            }
        }
        for (List<String> line : lines) {
            StringBuilder aligned = new StringBuilder(line.getFirst());
            aligned.repeat(' ', widths[0] - length(line.getFirst()));
            for (int c = 1; c < columns; c++) {
                aligned.append("  ")
                        .repeat(' ', widths[c] - length(line.get(c)))
                        .append(line.get(c));
            }
            text.append(aligned.toString().stripTrailing()).append('\n');
        }
    }

    private static List<String> shortened(List<String> cells) {
        String name = cells.getFirst();
        int excess = length(name) - NAME_LIMIT;
        if (excess <= 0) {
            return cells;
        }
        List<String> cut = new ArrayList<>(cells);
        cut.set(0, "…" + name.substring(name.offsetByCodePoints(0, excess + 1)));
        return cut;
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }
}
