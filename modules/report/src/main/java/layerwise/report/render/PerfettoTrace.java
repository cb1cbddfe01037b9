package layerwise.report.render;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.TreeSet;
import layerwise.report.profile.Operation;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.report.profile.Timeline;

/**
 * One run of every problem as a trace for ui.perfetto.dev: a process for each problem, a thread for each stream.
 *
 * @see <a href="https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU">Trace Event Format</a>
 */
public final class PerfettoTrace {
    private PerfettoTrace() {}

    public static void write(Profile profile, OutputStream out) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("displayTimeUnit", "ns");
            json.writeArrayFieldStart("traceEvents");
            for (int p = 0; p < profile.problems().size(); p++) {
                problem(profile.problems().get(p), p + 1, json);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void problem(ProblemProfile problem, int process, JsonGenerator json) throws IOException {
        List<Timeline.Span> spans = problem.timeline().spans();
        name(
                "process_name",
                process,
                0,
                problem.title() + ", run " + problem.timeline().run(),
                json);
        TreeSet<Integer> lanes =
                new TreeSet<>(spans.stream().map(Timeline.Span::lane).toList());
        for (int lane : lanes) {
            name("thread_name", process, lane, "device " + (lane >>> 24) + " stream " + (lane & 0xFF_FFFF), json);
        }
        for (Timeline.Span span : spans) {
            Operation operation = problem.operations().get(span.operation());
            json.writeStartObject();
            json.writeStringField("name", operation.shortName());
            json.writeStringField("cat", String.join(" > ", operation.path()));
            json.writeStringField("ph", "X");
            json.writeNumberField("ts", span.start() / 1000.0);
            json.writeNumberField("dur", (span.end() - span.start()) / 1000.0);
            json.writeNumberField("pid", process);
            json.writeNumberField("tid", span.lane());
            json.writeObjectFieldStart("args");
            json.writeStringField("kernel", operation.fullName());
            json.writeStringField("module", String.join(" > ", operation.path()));
            json.writeNumberField("mean us", operation.durations().mean() / 1000);
            json.writeEndObject();
            json.writeEndObject();
        }
    }

    private static void name(String kind, int process, int thread, String name, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", kind);
        json.writeStringField("ph", "M");
        json.writeNumberField("pid", process);
        json.writeNumberField("tid", thread);
        json.writeObjectFieldStart("args");
        json.writeStringField("name", name);
        json.writeEndObject();
        json.writeEndObject();
    }
}
