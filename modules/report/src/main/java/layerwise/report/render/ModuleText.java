package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.report.profile.Cost;
import layerwise.report.table.ModuleSum;

/** Sums by module as an aligned table for each problem. */
final class ModuleText {
    private static final List<String> NAMES =
            List.of("# module", "kernels", "mean", "median", "P90", "share", "compute", "memory", "limit", "ceiling");
    private static final List<String> UNITS =
            List.of("#", "", "(us)", "(us)", "(us)", "(%)", "(TFLOP/s)", "(GB/s)", "(%)", "(%)");
    private static final int COST_COLUMNS = 4;

    private ModuleText() {}

    static void append(ReportContext context, StringBuilder text) {
        for (int p = 0; p < context.modules().size(); p++) {
            List<ModuleSum> sums = context.modules().get(p);
            boolean priced = sums.stream().anyMatch(sum -> sum.cost().isPresent());
            List<List<String>> lines = new ArrayList<>(List.of(NAMES, UNITS));
            sums.forEach(sum -> lines.add(cells(sum)));
            text.append("\nModules of \"")
                    .append(context.table().titles().get(p))
                    .append("\"\n");
            align(lines, priced ? NAMES.size() : NAMES.size() - COST_COLUMNS, text);
        }
    }

    private static List<String> cells(ModuleSum sum) {
        int depth = Math.max(0, sum.path().size() - 1);
        String name = sum.path().isEmpty()
                ? "(outside modules)"
                : "|--".repeat(depth) + sum.path().getLast();
        Optional<Cost> cost = sum.cost();
        return List.of(
                name,
                String.valueOf(sum.kernels()),
                Numbers.micros(sum.nanos()),
                Numbers.micros(sum.samples().median()),
                Numbers.micros(sum.samples().p90()),
                Numbers.percent(sum.share()),
                cost.map(c -> Numbers.significant(c.teraflops(sum.nanos()))).orElse(""),
                cost.map(c -> Numbers.significant(c.gigabytes(sum.nanos()))).orElse(""),
                cost.map(c -> Numbers.percent(c.ofLimit(sum.nanos()))).orElse(""),
                cost.map(c -> Numbers.percent(c.ofCeiling(sum.nanos()))).orElse(""));
    }

    private static void align(List<List<String>> lines, int columns, StringBuilder text) {
        int[] widths = new int[columns];
        for (List<String> line : lines) {
            for (int c = 0; c < columns; c++) {
                widths[c] = Math.max(widths[c], line.get(c).length());
            }
        }
        for (List<String> line : lines) {
            StringBuilder aligned = new StringBuilder(Numbers.left(line.getFirst(), widths[0]));
            for (int c = 1; c < columns; c++) {
                aligned.append("  ").append(Numbers.right(line.get(c), widths[c]));
            }
            text.append(aligned.toString().stripTrailing()).append('\n');
        }
    }
}
