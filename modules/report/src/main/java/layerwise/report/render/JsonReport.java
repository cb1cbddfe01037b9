package layerwise.report.render;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import layerwise.report.profile.Cost;
import layerwise.report.profile.Operation;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.report.profile.SampledMetrics;
import layerwise.report.profile.Samples;

/**
 * The timelines as JSON: the reference's list of {@code {name, timeline: [{name, duration, end}]}} with mean
 * nanoseconds, and beside each field of the reference's what it leaves out: module path, lane, cost and every sample.
 *
 * <p>Samples make up nearly the whole file, so they are written as what each is above the least one, {@code min}.
 */
public final class JsonReport {
    /** Version of the fields beyond the reference's. */
    static final int SCHEMA_VERSION = 2;

    private JsonReport() {}

    public static void write(Profile profile, OutputStream out) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            Backtraces backtraces = Backtraces.of(profile);
            json.writeStartArray();
            for (ProblemProfile problem : profile.problems()) {
                write(problem, profile.metrics(), backtraces, json);
            }
            json.writeEndArray();
        }
    }

    private static void write(ProblemProfile problem, SampledMetrics metrics, Backtraces backtraces, JsonGenerator json)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("name", problem.title());
        json.writeNumberField("schema_version", SCHEMA_VERSION);
        json.writeNumberField("runs", problem.runs());
        json.writeNumberField("overlap", problem.totals().overlap().mean());
        json.writeNumberField("space", problem.totals().space().mean());
        json.writeNumberField("total", problem.totals().total().mean());
        json.writeObjectFieldStart("total_samples");
        writeSamples(problem.totals().total(), json);
        json.writeEndObject();
        JsonMetrics.write(metrics, problem.window(), json);
        if (!backtraces.isEmpty()) {
            json.writeArrayFieldStart("backtraces");
            for (List<String> frames : backtraces.chains()) {
                json.writeArray(frames.toArray(String[]::new), 0, frames.size());
            }
            json.writeEndArray();
        }
        json.writeArrayFieldStart("timeline");
        for (Operation operation : problem.operations()) {
            write(operation, backtraces.number(operation), json);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(Operation operation, int backtrace, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", operation.fullName());
        json.writeNumberField("duration", operation.durations().mean());
        json.writeNumberField("end", operation.meanEnd());
        json.writeStringField("short_name", operation.shortName());
        json.writeArrayFieldStart("path");
        for (String module : operation.path()) {
            json.writeString(module);
        }
        json.writeEndArray();
        json.writeNumberField("device", operation.lane() >>> 24);
        json.writeNumberField("stream", operation.lane() & 0xFF_FFFF);
        writeCost(operation.cost(), json);
        if (backtrace >= 0) {
            json.writeNumberField("backtrace", backtrace);
        }
        writeSamples(operation.durations(), json);
        json.writeEndObject();
    }

    private static void writeCost(Optional<Cost> cost, JsonGenerator json) throws IOException {
        if (cost.isPresent()) {
            json.writeNumberField("flops", cost.get().flops());
            json.writeNumberField("bytes", cost.get().bytes());
            if (Double.isFinite(cost.get().limitNanos())) {
                json.writeNumberField("limit", cost.get().limitNanos());
            }
            if (Double.isFinite(cost.get().ceilingNanos())) {
                json.writeNumberField("ceiling", cost.get().ceilingNanos());
            }
        }
    }

    private static void writeSamples(Samples samples, JsonGenerator json) throws IOException {
        long min = samples.min();
        json.writeNumberField("min", min);
        json.writeArrayFieldStart("above_min");
        for (int run = 0; run < samples.count(); run++) {
            json.writeNumber(samples.at(run) - min);
        }
        json.writeEndArray();
    }
}
