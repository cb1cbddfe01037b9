package layerwise.report.render;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import layerwise.report.table.PathRow;
import layerwise.trace.Exporter;

/** The kernels of a trace without markers, by NVTX path. */
public final class ListingReport {
    /** Version of the JSON form. */
    private static final int SCHEMA_VERSION = 1;

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

    /** The table as JSON with full names, nanoseconds. */
    public static void json(String source, Exporter exporter, List<PathRow> rows, OutputStream out) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartObject();
            json.writeNumberField("schema_version", SCHEMA_VERSION);
            json.writeStringField("source", source);
            json.writeStringField("exporter", exporter.toString());
            json.writeArrayFieldStart("rows");
            for (PathRow row : rows) {
                json.writeStartObject();
                json.writeArrayFieldStart("path");
                for (String range : row.path()) {
                    json.writeString(range);
                }
                json.writeEndArray();
                json.writeStringField("name", row.fullName());
                json.writeStringField("short_name", row.shortName());
                json.writeNumberField("count", row.count());
                json.writeNumberField("total", row.total());
                json.writeNumberField("mean", row.mean());
                json.writeNumberField("median", row.median());
                json.writeNumberField("p90", row.p90());
                json.writeNumberField("min", row.min());
                json.writeNumberField("max", row.max());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
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
