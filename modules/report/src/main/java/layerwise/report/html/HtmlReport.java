package layerwise.report.html;

import static j2html.TagCreator.body;
import static j2html.TagCreator.details;
import static j2html.TagCreator.div;
import static j2html.TagCreator.document;
import static j2html.TagCreator.each;
import static j2html.TagCreator.h1;
import static j2html.TagCreator.head;
import static j2html.TagCreator.header;
import static j2html.TagCreator.html;
import static j2html.TagCreator.main;
import static j2html.TagCreator.meta;
import static j2html.TagCreator.p;
import static j2html.TagCreator.pre;
import static j2html.TagCreator.rawHtml;
import static j2html.TagCreator.script;
import static j2html.TagCreator.style;
import static j2html.TagCreator.summary;
import static j2html.TagCreator.title;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import j2html.tags.DomContent;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import layerwise.report.render.ReportContext;
import layerwise.report.render.TableLine;

/**
 * The report as a page: one file, nothing from the network, a complete table without scripts.
 *
 * <p>Texts of the trace are escaped everywhere; the script reads its numbers from a hidden element, not from code.
 */
public final class HtmlReport {
    private static final String TITLE = "CUDA Kernel Latency Dashboard";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private HtmlReport() {}

    public static String render(ReportContext context) {
        List<TableLine> lines = context.lines();
        return document(html(
                        head(
                                meta().withCharset("utf-8"),
                                meta().withName("viewport").withContent("width=device-width, initial-scale=1"),
                                title(TITLE + ": " + context.source()),
                                style(rawHtml(resource("report.css")))),
                        body(
                                pageHeader(context),
                                Toolbar.of(lines),
                                main(div(KernelTable.of(context, lines)).withId("table-pane"), Charts.of(context)),
                                MetricsSection.of(context),
                                BacktraceSection.of(context),
                                pre(PageData.of(context, lines)).withId("data").attr("hidden"),
                                script(rawHtml(scripts()))))
                .withLang("en"));
    }

    private static DomContent pageHeader(ReportContext context) {
        return header(
                h1(TITLE),
                each(preamble(context), line -> p(line)),
                details(
                                summary("Configuration"),
                                pre("Run: " + json(context.profile().runArgs()) + "\n\nParse: "
                                        + json(context.arguments())))
                        .withId("configuration"));
    }

    private static List<String> preamble(ReportContext context) {
        List<String> lines = new ArrayList<>();
        lines.add(context.source() + ", written by " + context.profile().exporter());
        if (!context.profile().gpus().isEmpty()) {
            lines.add(String.join(", ", context.profile().gpus()));
        }
        context.profile().estimate().ifPresent(basis -> lines.add("ESTIMATE, nothing was measured: " + basis));
        lines.add("Mean GPU time in microseconds of the runs after the first "
                + context.profile().warmup() + "; every number is defined in docs/definitions.md.");
        return lines;
    }

    private static String json(Map<String, Object> values) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(values);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("arguments are plain data", e);
        }
    }

    /** One script in five files, in order of what they build on. */
    private static String scripts() {
        return Stream.of("model.js", "table.js", "charts.js", "extras.js", "page.js")
                .map(HtmlReport::resource)
                .collect(Collectors.joining("\n"));
    }

    static String resource(String name) {
        try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
