package layerwise.report.render;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.report.profile.Cost;
import layerwise.report.profile.Launch;
import layerwise.report.profile.Operation;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.report.profile.Samples;
import layerwise.report.table.ModuleSum;

/**
 * The timelines as JSON: the reference's list of {@code {name, timeline: [{name, duration, end}]}} with mean
 * nanoseconds, and beside each field of the reference's what it leaves out: module path, lane, cost and every sample;
 * and the sums of its modules.
 *
 * <p>Samples make up nearly the whole file, so they are written as what each is above the least one, {@code min}.
 */
public final class JsonReport {
    /** Version of the fields beyond the reference's. */
    static final int SCHEMA_VERSION = 2;

    private JsonReport() {}

    public static void write(ReportContext context, OutputStream out) throws IOException {
        Profile profile = context.profile();
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            Backtraces backtraces = Backtraces.of(profile);
            json.writeStartArray();
            for (int p = 0; p < profile.problems().size(); p++) {
                write(profile.problems().get(p), context.modules().get(p), profile, backtraces, json);
            }
            json.writeEndArray();
        }
    }

    private static void write(
            ProblemProfile problem, List<ModuleSum> modules, Profile profile, Backtraces backtraces, JsonGenerator json)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("name", problem.title());
        json.writeNumberField("schema_version", SCHEMA_VERSION);
        writeArguments(profile, json);
        json.writeNumberField("runs", problem.runs());
        json.writeNumberField("overlap", problem.totals().overlap().mean());
        json.writeNumberField("space", problem.totals().space().mean());
        json.writeNumberField("total", problem.totals().total().mean());
        json.writeObjectFieldStart("total_samples");
        writeSamples(problem.totals().total(), json);
        json.writeEndObject();
        JsonMetrics.write(profile.metrics(), problem.window(), json);
        if (!backtraces.isEmpty()) {
            json.writeArrayFieldStart("backtraces");
            for (List<String> frames : backtraces.chains()) {
                json.writeArray(frames.toArray(String[]::new), 0, frames.size());
            }
            json.writeEndArray();
        }
        json.writeArrayFieldStart("modules");
        for (ModuleSum sum : modules) {
            write(sum, json);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("timeline");
        for (Operation operation : problem.operations()) {
            write(operation, backtraces.number(operation), json);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** What the run was, and the problem within it: by these a measurement is found again. */
    private static void writeArguments(Profile profile, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("gpus");
        for (String gpu : profile.gpus()) {
            json.writeString(gpu);
        }
        json.writeEndArray();
        json.writeObjectFieldStart("run_args");
        for (Map.Entry<String, Object> argument : profile.runArgs().entrySet()) {
            json.writeFieldName(argument.getKey());
            writeValue(argument.getValue(), json);
        }
        json.writeEndObject();
    }

    private static void writeValue(Object value, JsonGenerator json) throws IOException {
        if (value instanceof List<?> list) {
            json.writeStartArray();
            for (Object element : list) {
                writeValue(element, json);
            }
            json.writeEndArray();
        } else if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                json.writeFieldName(String.valueOf(entry.getKey()));
                writeValue(entry.getValue(), json);
            }
            json.writeEndObject();
        } else {
            json.writeObject(value);
        }
    }

    /** What a module's rows add up to, the rows of modules within it included. */
    private static void write(ModuleSum sum, JsonGenerator json) throws IOException {
        json.writeStartObject();
        writePath(sum.path(), json);
        json.writeNumberField("kernels", sum.kernels());
        json.writeNumberField("duration", sum.nanos());
        writeCost(sum.cost(), json);
        json.writeEndObject();
    }

    private static void writePath(List<String> path, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("path");
        for (String module : path) {
            json.writeString(module);
        }
        json.writeEndArray();
    }

    private static void write(Operation operation, int backtrace, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", operation.fullName());
        json.writeNumberField("duration", operation.durations().mean());
        json.writeNumberField("end", operation.meanEnd());
        json.writeStringField("short_name", operation.shortName());
        writePath(operation.path(), json);
        json.writeNumberField("device", operation.lane() >>> 24);
        json.writeNumberField("stream", operation.lane() & 0xFF_FFFF);
        writeCost(operation.cost(), json);
        writeLaunch(operation.launch(), json);
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
            json.writeNumberField("link_bytes", cost.get().linkBytes());
            if (Double.isFinite(cost.get().limitNanos())) {
                json.writeNumberField("limit", cost.get().limitNanos());
            }
            if (Double.isFinite(cost.get().ceilingNanos())) {
                json.writeNumberField("ceiling", cost.get().ceilingNanos());
            }
            if (!cost.get().bound().isEmpty()) {
                json.writeStringField("bound", cost.get().bound());
            }
        }
    }

    private static void writeLaunch(Optional<Launch> launch, JsonGenerator json) throws IOException {
        if (launch.isPresent()) {
            json.writeNumberField("launch", launch.get().number());
            json.writeStringField("operator", launch.get().operator().operator());
            json.writeStringField("shape", launch.get().operator().shape());
            json.writeStringField("format", launch.get().operator().format());
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
