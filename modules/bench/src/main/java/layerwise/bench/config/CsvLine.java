package layerwise.bench.config;

import java.util.List;
import java.util.stream.Collectors;

/** Lines of CSV after RFC 4180. */
public final class CsvLine {
    private CsvLine() {}

    /** A line with its end. */
    public static String of(List<String> fields) {
        return fields.stream().map(CsvLine::quoted).collect(Collectors.joining(",", "", "\r\n"));
    }

    /** A field, in quotes where it needs them. */
    public static String quoted(String field) {
        return field.contains(",") || field.contains("\"") ? '"' + field.replace("\"", "\"\"") + '"' : field;
    }
}
