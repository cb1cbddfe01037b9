package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.table.PathRow;
import layerwise.trace.Exporter;

/** The kernels of a trace without markers, by NVTX path. */
public final class ListingReport {
    private static final List<String> NAMES =
            List.of("path", "kernel", "count", "total", "share", "mean", "median", "P90", "min", "max");
    private static final List<String> UNITS =
            List.of("", "", "", "(us)", "(%)", "(us)", "(us)", "(us)", "(us)", "(us)");

    private ListingReport() {}

    /** The table as text, with a footer that sums it up. */
    public static String text(String source, Exporter exporter, List<PathRow> rows) {
        StringBuilder text = new StringBuilder();
        text.append("# kernels of ").append(source).append(", written by ").append(exporter);
        text.append("; no layer-wise markers\n");
        List<List<String>> lines = new ArrayList<>();
        lines.add(marked(NAMES));
        lines.add(marked(UNITS));
        rows.forEach(row -> lines.add(cells(row, row.shortName())));
        ColumnText.append(lines, NAMES.size(), text);
        long total = rows.stream().mapToLong(PathRow::total).sum();
        int count = rows.stream().mapToInt(PathRow::count).sum();
        text.append("# ")
                .append(count)
                .append(" activities, ")
                .append(Numbers.micros(total))
                .append(" us\n");
        return text.toString();
    }

    /** The table as CSV with full names. */
    public static String csv(List<PathRow> rows) {
        StringBuilder csv = new StringBuilder();
        CsvReport.line(csv, NAMES);
        rows.forEach(row -> CsvReport.line(csv, cells(row, row.fullName())));
        return csv.toString();
    }

    private static List<String> marked(List<String> cells) {
        List<String> marked = new ArrayList<>(cells);
        marked.set(0, "# " + marked.getFirst());
        return marked;
    }

    private static List<String> cells(PathRow row, String name) {
        return List.of(
                String.join(" > ", row.path()),
                name,
                String.valueOf(row.count()),
                Numbers.micros(row.total()),
                Numbers.percent(row.share()),
                Numbers.micros(row.mean()),
                Numbers.micros(row.median()),
                Numbers.micros(row.p90()),
                Numbers.micros(row.min()),
                Numbers.micros(row.max()));
    }
}
