package layerwise.report.render;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import layerwise.report.table.RankTable;

/** All ranks of a run in one table for each problem. */
public final class RankReport {
    /** Version of the JSON form. */
    private static final int SCHEMA_VERSION = 1;

    private static final List<String> NAMES = List.of("# row", "ranks", "min", "mean", "max", "spread", "slowest rank");
    private static final List<String> UNITS = List.of("#", "", "(us)", "(us)", "(us)", "(%)", "");

    private RankReport() {}

    public static String text(int worldSize, List<RankTable> tables) {
        StringBuilder text = new StringBuilder("# layerwise report of all " + worldSize + " ranks\n");
        for (RankTable table : tables) {
            text.append("\n\"").append(table.title()).append("\"\n");
            List<List<String>> lines = new ArrayList<>(List.of(NAMES, UNITS));
            table.rows().forEach(row -> lines.add(cells(row)));
            ColumnText.append(lines, NAMES.size(), text);
        }
        return text.toString();
    }

    public static String csv(List<RankTable> tables) {
        StringBuilder csv = new StringBuilder();
        CsvReport.line(csv, List.of("problem", "row", "ranks", "min", "mean", "max", "spread", "slowest rank"));
        for (RankTable table : tables) {
            for (RankTable.RankRow row : table.rows()) {
                List<String> cells = new ArrayList<>(List.of(table.title()));
                cells.addAll(cells(row));
                CsvReport.line(csv, cells);
            }
        }
        return csv.toString();
    }

    /** The tables as JSON: a list with one object for each problem; nanoseconds, null for a rank without the row. */
    public static void json(List<RankTable> tables, OutputStream out) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartArray();
            for (RankTable table : tables) {
                json.writeStartObject();
                json.writeStringField("name", table.title());
                json.writeNumberField("schema_version", SCHEMA_VERSION);
                json.writeArrayFieldStart("rows");
                for (RankTable.RankRow row : table.rows()) {
                    write(row, json);
                }
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndArray();
        }
    }

    private static void write(RankTable.RankRow row, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("path");
        for (String module : row.path()) {
            json.writeString(module);
        }
        json.writeEndArray();
        json.writeStringField("name", row.name());
        json.writeNumberField("min", row.min());
        json.writeNumberField("mean", row.mean());
        json.writeNumberField("max", row.max());
        json.writeNumberField("slowest", row.slowest());
        json.writeArrayFieldStart("ranks");
        for (OptionalDouble mean : row.means()) {
            if (mean.isPresent()) {
                json.writeNumber(mean.getAsDouble());
            } else {
                json.writeNull();
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static List<String> cells(RankTable.RankRow row) {
        List<String> path = new ArrayList<>(row.path());
        path.add(row.name());
        return List.of(
                String.join(" > ", path),
                String.valueOf(row.ranks()),
                Numbers.micros(row.min()),
                Numbers.micros(row.mean()),
                Numbers.micros(row.max()),
                Numbers.percent(row.spread()),
                String.valueOf(row.slowest()));
    }
}
