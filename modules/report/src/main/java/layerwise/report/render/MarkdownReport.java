package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.table.ModuleSum;

/** Sums by module as Markdown tables, to paste into an issue. */
public final class MarkdownReport {
    private MarkdownReport() {}

    public static String render(ReportContext context) {
        StringBuilder text = new StringBuilder();
        text.append("**").append(escape(context.source())).append("**, written by ");
        text.append(escape(context.profile().exporter().toString()));
        context.profile().gpus().forEach(gpu -> text.append(", ").append(escape(gpu)));
        text.append('\n');
        for (int p = 0; p < context.modules().size(); p++) {
            text.append("\n`").append(context.table().titles().get(p)).append("`: total ");
            text.append(Numbers.micros(context.table().rows().getLast().nanos(p)))
                    .append(" us\n\n");
            table(context.modules().get(p), text);
        }
        return text.toString();
    }

    private static void table(List<ModuleSum> sums, StringBuilder text) {
        int columns = ModuleText.columns(sums);
        List<List<String>> named = ModuleText.heads();
        List<String> heads = new ArrayList<>();
        for (int c = 0; c < columns; c++) {
            heads.add((named.getFirst().get(c) + " " + named.getLast().get(c))
                    .replace("#", "")
                    .strip());
        }
        line(heads, text);
        text.append("|---").append("|---:".repeat(columns - 1)).append("|\n");
        for (ModuleSum sum : sums) {
            List<String> cells = new ArrayList<>(ModuleText.cells(sum).subList(0, columns));
            cells.set(0, "&nbsp;".repeat(3 * Math.max(0, sum.path().size() - 1)) + escape(sum.name()));
            line(cells, text);
        }
    }

    private static void line(List<String> cells, StringBuilder text) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    /** Keeps texts of the trace from being read as Markdown or HTML. */
    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replaceAll("([\\\\`*_|\\[\\]])", "\\\\$1");
    }
}
