package layerwise.report.render;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.ProblemProfile;

/**
 * The report for a terminal: arguments, problems and the tree of kernels as the reference's parser prints them, then
 * sums by module and every row with medians, shares and, where the trace has costs, rates.
 */
public final class TextReport {
    private static final int NAME_LIMIT = 40;
    private static final int VALUE_WIDTH = 6;
    private static final ObjectWriter JSON = JsonMapper.builder().build().writerWithDefaultPrettyPrinter();

    private TextReport() {}

    /** The report; {@code queries} are the pieces whose rows are summed at the end, none for no sums. */
    public static String render(ReportContext context, List<String> queries) {
        StringBuilder text = new StringBuilder();
        preamble(context, text);
        problems(context, text);
        int nameWidth = nameWidth(context.table());
        text.append("-"
                        .repeat(nameWidth
                                + 1
                                + VALUE_WIDTH * context.table().titles().size()))
                .append('\n');
        tree(context.table(), nameWidth, text);
        RepeatedText.append(context, text);
        ModuleText.append(context, text);
        RowText.append(context, text);
        MetricsText.append(context, text);
        text.append(Backtraces.text(context.profile()));
        if (!queries.isEmpty()) {
            query(context.table(), nameWidth, queries, text);
        }
        return text.toString();
    }

    private static void preamble(ReportContext context, StringBuilder text) {
        text.append("# layerwise report of ").append(context.source()).append(", written by ");
        text.append(context.profile().exporter()).append('\n');
        if (!context.profile().gpus().isEmpty()) {
            text.append("# ")
                    .append(String.join(", ", context.profile().gpus()))
                    .append('\n');
        }
        context.profile()
                .estimate()
                .ifPresent(basis -> text.append("# ESTIMATE, nothing was measured: ")
                        .append(basis)
                        .append('\n'));
        text.append("Parse args:\n").append(json(context.arguments())).append('\n');
        text.append("Run args:\n").append(json(context.profile().runArgs())).append('\n');
    }

    private static String json(Map<String, Object> values) {
        try {
            return JSON.writeValueAsString(values);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("arguments are plain data", e);
        }
    }

    private static void problems(ReportContext context, StringBuilder text) {
        text.append("Problem set:\n");
        for (ProblemProfile problem : context.profile().problems()) {
            text.append("- \"").append(problem.title()).append("\"    ");
            text.append(problem.runs()).append(" runs    Ranges: [");
            text.append(String.join(", ", problem.modules())).append("]\n");
            if (problem.grouped()) {
                text.append("  grouped by name: its runs launch different sequences of kernels\n");
            }
        }
    }

    private static int nameWidth(MergedTable table) {
        return table.rows().stream()
                .mapToInt(row -> 3 * row.path().size() + Math.min(NAME_LIMIT, length(row.name())))
                .max()
                .orElse(0);
    }

    private static void tree(MergedTable table, int nameWidth, StringBuilder text) {
        for (TreeLines.Line line : TreeLines.of(table.rows())) {
            switch (line) {
                case TreeLines.Module module -> text.append(module.indented());
                case TreeLines.Leaf leaf -> {
                    String name = "|--".repeat(leaf.depth()) + cut(leaf.name());
                    text.append(pad(name, nameWidth));
                    for (int p = 0; p < table.titles().size(); p++) {
                        text.append(' ');
                        text.append(Numbers.right(Numbers.micros(leaf.row().nanos(p)), VALUE_WIDTH));
                    }
                }
            }
            text.append('\n');
        }
    }

    private static void query(MergedTable table, int nameWidth, List<String> queries, StringBuilder text) {
        text.append("Query:\n");
        for (String piece : queries) {
            text.append(pad(piece, nameWidth));
            for (int p = 0; p < table.titles().size(); p++) {
                double sum = 0;
                for (MergedTable.Row row : table.rows()) {
                    List<String> path = new ArrayList<>(row.path());
                    path.add(row.name());
                    sum += String.join(".", path).contains(piece) ? row.nanos(p) : 0;
                }
                text.append(' ').append(Numbers.right(Numbers.micros(sum), VALUE_WIDTH));
            }
            text.append('\n');
        }
    }

    private static String cut(String name) {
        return length(name) <= NAME_LIMIT ? name : name.substring(0, name.offsetByCodePoints(0, NAME_LIMIT));
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(0, width - length(text)));
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }
}
