package layerwise.report.render;

import java.util.List;

/** Aligned columns: the first to the left, figures to the right. */
final class ColumnText {
    private ColumnText() {}

    /** Appends the lines with as many columns as asked for. */
    static void append(List<List<String>> lines, int columns, StringBuilder text) {
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

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }
}
