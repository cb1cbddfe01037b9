package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.table.ModuleSum;

/** Sums by module as an aligned table for each problem. */
final class ModuleText {
    private static final List<String> NAMES = List.of("# module", "kernels");
    private static final List<String> UNITS = List.of("#", "");

    private ModuleText() {}

    static void append(ReportContext context, StringBuilder text) {
        for (int p = 0; p < context.modules().size(); p++) {
            List<ModuleSum> sums = context.modules().get(p);
            List<List<String>> lines = new ArrayList<>(heads());
            sums.forEach(sum -> lines.add(cells(sum)));
            lines.add(cells(ModuleSum.whole(context.profile().problems().get(p))));
            text.append("\nModules of \"")
                    .append(context.table().titles().get(p))
                    .append("\"\n");
            ColumnText.append(lines, columns(sums), text);
        }
    }

    /** The lines of names and units. */
    static List<List<String>> heads() {
        return Figures.heads(NAMES, UNITS);
    }

    /** How many of the columns have values. */
    static int columns(List<ModuleSum> sums) {
        return Figures.columns(
                NAMES.size(), sums.stream().anyMatch(sum -> sum.cost().isPresent()));
    }

    static List<String> cells(ModuleSum sum) {
        int depth = Math.max(0, sum.path().size() - 1);
        return Figures.line(
                List.of("|--".repeat(depth) + sum.name(), String.valueOf(sum.kernels())),
                sum.nanos(),
                sum.samples(),
                sum.share(),
                sum.cost());
    }
}
