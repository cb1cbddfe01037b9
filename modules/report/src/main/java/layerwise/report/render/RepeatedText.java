package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.RepeatedBlock;

/** Blocks that repeat at once, folded: mean, least and greatest of every row over the repetitions. */
final class RepeatedText {
    private RepeatedText() {}

    static void append(ReportContext context, StringBuilder text) {
        for (RepeatedBlock block : context.repeats()) {
            for (int p = 0; p < context.table().titles().size(); p++) {
                text.append("\n")
                        .append(block.times())
                        .append(" equal blocks of ")
                        .append(block.rows());
                text.append(" rows in \"")
                        .append(context.table().titles().get(p))
                        .append("\", folded\n");
                List<List<String>> lines = new ArrayList<>();
                lines.add(List.of("# row", "mean", "min", "max"));
                lines.add(List.of("#", "(us)", "(us)", "(us)"));
                for (int r = 0; r < block.rows(); r++) {
                    lines.add(cells(context.table().rows(), block, r, p));
                }
                lines.add(sums(context.table().rows(), block, p));
                ColumnText.append(lines, 4, text);
            }
        }
    }

    private static List<String> cells(List<MergedTable.Row> rows, RepeatedBlock block, int r, int problem) {
        MergedTable.Row first = rows.get(block.firstRow() + r);
        double[] values = IntStream.range(0, block.times())
                .mapToObj(k -> rows.get(block.firstRow() + k * block.rows() + r)
                        .cells()
                        .get(problem))
                .flatMap(Optional::stream)
                .mapToDouble(MergedTable.Cell::nanos)
                .toArray();
        List<String> path = new ArrayList<>(first.path());
        path.add(first.name());
        return line(String.join(" > ", path), values);
    }

    private static List<String> sums(List<MergedTable.Row> rows, RepeatedBlock block, int problem) {
        double[] sums = new double[block.times()];
        for (int k = 0; k < block.times(); k++) {
            for (int r = 0; r < block.rows(); r++) {
                sums[k] += rows.get(block.firstRow() + k * block.rows() + r).nanos(problem);
            }
        }
        return line("# sum of one block", sums);
    }

    private static List<String> line(String name, double[] nanos) {
        if (nanos.length == 0) {
            return List.of(name, "", "", "");
        }
        double sum = 0;
        double least = Double.POSITIVE_INFINITY;
        double greatest = Double.NEGATIVE_INFINITY;
        for (double value : nanos) {
            sum += value;
            least = Math.min(least, value);
            greatest = Math.max(greatest, value);
        }
        return List.of(name, Numbers.micros(sum / nanos.length), Numbers.micros(least), Numbers.micros(greatest));
    }
}
