package layerwise.report.render;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.report.profile.MergedTable;

/** What ran where ranks shared a GPU: kernels by module, without times, since those are no results. */
public final class UntimedReport {
    /** Heads every form of it. */
    public static final String LABEL = "ranks shared a GPU: this run tests correctness, its times are no results";

    /** Version of the JSON form. */
    private static final int SCHEMA_VERSION = 1;

    private UntimedReport() {}

    /** Names of the columns: module, kernel and the problems. */
    public static List<String> columns(MergedTable table) {
        List<String> columns = new ArrayList<>(List.of("module", "kernel"));
        columns.addAll(table.titles());
        return columns;
    }

    /** A line for each kernel of the sequence: its module, its name, and {@code x} for each problem that has it. */
    public static List<List<String>> lines(MergedTable table) {
        List<List<String>> lines = new ArrayList<>();
        for (MergedTable.Row row : table.rows()) {
            if (row.kind() == MergedTable.Kind.OPERATION) {
                List<String> line = new ArrayList<>(List.of(String.join(".", row.path()), row.name()));
                row.cells().forEach(cell -> line.add(cell.isPresent() ? "x" : ""));
                lines.add(line);
            }
        }
        return lines;
    }

    public static String text(String source, MergedTable table) {
        StringBuilder text = new StringBuilder();
        text.append("# layerwise report of ").append(source).append('\n');
        text.append("# ").append(LABEL).append('\n');
        List<List<String>> lines = new ArrayList<>();
        List<String> names = columns(table);
        names.set(0, "# " + names.getFirst());
        lines.add(names);
        lines.addAll(lines(table));
        ColumnText.append(lines, names.size(), text);
        return text.toString();
    }

    public static String csv(MergedTable table) {
        StringBuilder csv = new StringBuilder();
        CsvReport.line(csv, List.of("# " + LABEL));
        CsvReport.line(csv, columns(table));
        lines(table).forEach(line -> CsvReport.line(csv, line));
        return csv.toString();
    }

    public static void json(String source, MergedTable table, OutputStream out) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartObject();
            json.writeNumberField("schema_version", SCHEMA_VERSION);
            json.writeStringField("source", source);
            json.writeStringField("label", LABEL);
            json.writeArrayFieldStart("rows");
            for (MergedTable.Row row : table.rows()) {
                if (row.kind() == MergedTable.Kind.OPERATION) {
                    write(row, table.titles(), json);
                }
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void write(MergedTable.Row row, List<String> titles, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("path");
        for (String module : row.path()) {
            json.writeString(module);
        }
        json.writeEndArray();
        json.writeStringField("short_name", row.name());
        json.writeArrayFieldStart("problems");
        for (int p : IntStream.range(0, titles.size())
                .filter(problem -> row.cells().get(problem).isPresent())
                .toArray()) {
            json.writeString(titles.get(p));
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
