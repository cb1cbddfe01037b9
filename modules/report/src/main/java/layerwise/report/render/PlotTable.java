package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import layerwise.report.plot.Curve;
import layerwise.report.plot.Plot;
import layerwise.report.plot.PlotPoint;
import layerwise.report.plot.Subject;
import layerwise.trace.ProblemSpec;

/**
 * Every point of a plot, one line each; text, CSV and page show this one table.
 *
 * @param columns   headings
 * @param lines     cells of each line
 */
public record PlotTable(List<Column> columns, List<List<String>> lines) {
    /**
     * A heading.
     *
     * @param unit    {@code us}, {@code %} or empty
     * @param figures whether its cells are numbers
     */
    public record Column(String name, String unit, boolean figures) {}

    private static final int BALANCE = 4;

    /** The points in order of the curves; the balance ratio has a column where a problem has one. */
    public static PlotTable of(Plot plot) {
        List<List<String>> lines = plot.curves().stream()
                .flatMap(curve -> curve.points().values().stream().map(point -> line(plot, curve, point)))
                .toList();
        boolean balanced = lines.stream().anyMatch(line -> !line.get(BALANCE).isEmpty());
        return new PlotTable(
                shown(columns(plot.subject()), balanced),
                lines.stream().map(line -> shown(line, balanced)).toList());
    }

    private static List<Column> columns(Subject subject) {
        return List.of(
                new Column("run", "", false),
                new Column("batch_size", "", true),
                new Column("seq_len_q", "", true),
                new Column("seq_len_kv_cache", "", true),
                new Column("balance_ratio", "", true),
                new Column(subject.kind(), "", false),
                new Column(subject.statistic(), "us", true),
                new Column("limit", "us", true),
                new Column("limit", "%", true));
    }

    private static List<String> line(Plot plot, Curve curve, PlotPoint point) {
        ProblemSpec problem = point.problem();
        return List.of(
                curve.runName(),
                String.valueOf(problem.batchSize()),
                String.valueOf(problem.seqLenQ()),
                String.valueOf(problem.seqLenKvCache()),
                problem.balanceRatio().isPresent()
                        ? String.valueOf(problem.balanceRatio().getAsDouble())
                        : "",
                plot.subject().name(),
                Numbers.micros(point.nanos()),
                Numbers.micros(point.limitNanos()),
                Numbers.percent(point.ofLimit()));
    }

    private static <T> List<T> shown(List<T> cells, boolean balanced) {
        List<T> shown = new ArrayList<>(cells);
        if (!balanced) {
            shown.remove(BALANCE);
        }
        return shown;
    }

    /** The table as CSV: {@code run,batch_size,…,mean_us,limit_us,limit_percent}, of operators {@code median_us}. */
    public String csv() {
        StringBuilder csv = new StringBuilder();
        CsvReport.line(csv, columns.stream().map(PlotTable::csvName).toList());
        lines.forEach(line -> CsvReport.line(csv, line));
        return csv.toString();
    }

    private static String csvName(Column column) {
        return switch (column.unit()) {
            case "" -> column.name();
            case "%" -> column.name() + "_percent";
            default -> column.name() + "_" + column.unit();
        };
    }

    /** The table in aligned columns. */
    void append(StringBuilder text) {
        List<String> names = columns.stream().map(Column::name).toList();
        List<String> units = columns.stream()
                .map(column -> column.unit().isEmpty() ? "" : "(" + column.unit() + ")")
                .toList();
        List<List<String>> all = new ArrayList<>(List.of(marked(names), marked(units)));
        all.addAll(lines);
        ColumnText.append(all, columns.size(), text);
    }

    private static List<String> marked(List<String> heads) {
        return Stream.concat(
                        Stream.of(("# " + heads.getFirst()).strip()),
                        heads.stream().skip(1))
                .toList();
    }
}
