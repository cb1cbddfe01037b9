package layerwise.report.html;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import layerwise.report.profile.Cost;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.RepeatedBlock;
import layerwise.report.profile.Timeline;
import layerwise.report.render.Backtraces;
import layerwise.report.render.ReportContext;
import layerwise.report.render.TableLine;

/** The page's numbers as JSON for its script: microseconds, per cent, and null where there is no value. */
final class PageData {
    private static final MathContext SIX_DIGITS = new MathContext(6);

    private final ReportContext context;
    private final JsonGenerator json;

    private PageData(ReportContext context, JsonGenerator json) {
        this.context = context;
        this.json = json;
    }

    static String of(ReportContext context, List<TableLine> lines) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            PageData data = new PageData(context, json);
            json.writeStartObject();
            data.problems();
            data.lines(lines);
            data.repeats(lines);
            data.backtraces();
            MetricData.write(context.profile(), json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private void problems() throws IOException {
        json.writeArrayFieldStart("problems");
        for (int p = 0; p < context.profile().problems().size(); p++) {
            ProblemProfile problem = context.profile().problems().get(p);
            json.writeStartObject();
            json.writeStringField("title", problem.title());
            json.writeNumberField("run", problem.timeline().run());
            json.writeArrayFieldStart("spans");
            int[] rows = rowsOfOperations(p, problem.operations().size());
            for (Timeline.Span span : problem.timeline().spans()) {
                json.writeStartArray();
                json.writeNumber(rows[span.operation()]);
                number(span.start() / 1000.0);
                number((span.end() - span.start()) / 1000.0);
                json.writeString((span.lane() >>> 24) + ":" + (span.lane() & 0xFF_FFFF));
                json.writeEndArray();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** Operations stand in their problem's column in order, so the n-th filled cell is the n-th operation. */
    private int[] rowsOfOperations(int problem, int count) {
        int[] rows = new int[count];
        int next = 0;
        for (int row = 0; row < context.table().rows().size() && next < count; row++) {
            if (context.table().rows().get(row).cells().get(problem).isPresent()) {
                rows[next++] = row;
            }
        }
        return rows;
    }

    /** All call chains, and for each problem the number of the chain that launched each row, -1 for none. */
    private void backtraces() throws IOException {
        Backtraces backtraces = Backtraces.of(context.profile());
        json.writeArrayFieldStart("backtraces");
        for (List<String> frames : backtraces.chains()) {
            json.writeArray(frames.toArray(String[]::new), 0, frames.size());
        }
        json.writeEndArray();
        json.writeArrayFieldStart("launchers");
        for (int p = 0; p < context.table().titles().size() && !backtraces.isEmpty(); p++) {
            json.writeStartArray();
            for (MergedTable.Row row : context.table().rows()) {
                int number = row.cells()
                        .get(p)
                        .flatMap(MergedTable.Cell::operation)
                        .map(backtraces::number)
                        .orElse(-1);
                json.writeNumber(number);
            }
            json.writeEndArray();
        }
        json.writeEndArray();
    }

    private void lines(List<TableLine> lines) throws IOException {
        json.writeArrayFieldStart("lines");
        for (TableLine line : lines) {
            json.writeStartObject();
            json.writeNumberField("depth", line.depth());
            json.writeStringField("name", line.name());
            json.writeStringField("kind", line.leaf() ? line.kind().name() : "MODULE");
            json.writeNumberField("row", line.row());
            values(line, "mean", value -> value.nanos() / 1000);
            values(line, "median", value -> value.samples().median() / 1000);
            values(line, "p90", value -> value.samples().p90() / 1000);
            values(line, "share", value -> value.share() * 100);
            if (line.values().stream()
                    .anyMatch(v -> v.flatMap(TableLine.Value::cost).isPresent())) {
                costs(line, "compute", Cost::teraflops);
                costs(line, "memory", Cost::gigabytes);
                if (line.values().stream().flatMap(Optional::stream).anyMatch(PageData::travels)) {
                    costs(line, "links", Cost::linkGigabytes);
                }
                costs(line, "limit", (cost, nanos) -> cost.ofLimit(nanos) * 100);
                costs(line, "ceiling", (cost, nanos) -> cost.ofCeiling(nanos) * 100);
                costs(line, "intensity", (cost, nanos) -> cost.flops() / cost.bytes());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static boolean travels(TableLine.Value value) {
        return value.cost().filter(cost -> cost.linkBytes() > 0).isPresent();
    }

    private interface Rate {
        double of(Cost cost, double nanos);
    }

    private void costs(TableLine line, String name, Rate rate) throws IOException {
        values(
                line,
                name,
                value -> value.cost().map(cost -> rate.of(cost, value.nanos())).orElse(Double.NaN));
    }

    private void values(TableLine line, String name, ToDoubleFunction<TableLine.Value> of) throws IOException {
        json.writeArrayFieldStart(name);
        for (Optional<TableLine.Value> value : line.values()) {
            number(value.map(of::applyAsDouble).orElse(Double.NaN));
        }
        json.writeEndArray();
    }

    /** For every line of a repeated block's first appearance, its mean, least and greatest value over all of them. */
    private void repeats(List<TableLine> lines) throws IOException {
        json.writeArrayFieldStart("repeats");
        for (RepeatedBlock block : context.repeats()) {
            json.writeStartObject();
            json.writeNumberField("row", block.firstRow());
            json.writeNumberField("rows", block.rows());
            json.writeNumberField("times", block.times());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** Four decimals show everything of a time; a rate may be far below one. */
    private void number(double value) throws IOException {
        if (!Double.isFinite(value)) {
            json.writeNull();
        } else if (Math.abs(value) >= 1 || value == 0) {
            json.writeNumber(Math.round(value * 1e4) / 1e4);
        } else {
            json.writeNumber(new BigDecimal(value).round(SIX_DIGITS).doubleValue());
        }
    }
}
