package layerwise.report.render;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Locale;
import layerwise.report.profile.Alignment;
import layerwise.report.profile.ShortNames;

/** The timeline of chosen layers of a serving run, in the forms of the reference's tool. */
public final class AlignmentReport {
    private AlignmentReport() {}

    /** Kernel, duration and end as a table, microseconds. */
    public static String text(List<Alignment.Entry> entries, ShortNames names) {
        StringBuilder text = new StringBuilder();
        line("Kernel", "Duration", "End", text);
        for (Alignment.Entry entry : entries) {
            String name = names.of(entry.fullName());
            line(
                    name.length() > 40 ? name.substring(0, 40) : name,
                    Numbers.micros(entry.duration()),
                    Numbers.micros(entry.end()),
                    text);
        }
        return text.toString();
    }

    private static void line(String name, String duration, String end, StringBuilder text) {
        text.append(String.format(Locale.ROOT, "%-40s %8s %8s%n", name, duration, end));
    }

    /** One timeline named {@code parse_e2e}, as {@link JsonReport} writes them. */
    public static void json(List<Alignment.Entry> entries, OutputStream out) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartArray();
            json.writeStartObject();
            json.writeStringField("name", "parse_e2e");
            json.writeArrayFieldStart("timeline");
            for (Alignment.Entry entry : entries) {
                json.writeStartObject();
                json.writeStringField("name", entry.fullName());
                json.writeNumberField("duration", entry.duration());
                json.writeNumberField("end", entry.end());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeEndArray();
        }
    }
}
