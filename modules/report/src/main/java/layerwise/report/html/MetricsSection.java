package layerwise.report.html;

import static j2html.TagCreator.caption;
import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.h2;
import static j2html.TagCreator.iff;
import static j2html.TagCreator.iffElse;
import static j2html.TagCreator.p;
import static j2html.TagCreator.section;
import static j2html.TagCreator.table;
import static j2html.TagCreator.tbody;
import static j2html.TagCreator.td;
import static j2html.TagCreator.text;
import static j2html.TagCreator.th;
import static j2html.TagCreator.thead;
import static j2html.TagCreator.tr;

import j2html.tags.DomContent;
import java.util.List;
import layerwise.report.profile.MetricSummary;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.SampledMetrics;
import layerwise.report.render.MetricsText;
import layerwise.report.render.ReportContext;

/** What was sampled of the GPUs: a table for each problem, and the place where the script draws the samples. */
final class MetricsSection {
    private static final List<String> COLUMNS = List.of("Metric", "GPU", "Samples", "Min", "Mean", "Max");

    private final SampledMetrics metrics;

    private MetricsSection(SampledMetrics metrics) {
        this.metrics = metrics;
    }

    /** The section; nothing where nothing was to be sampled. */
    static DomContent of(ReportContext context) {
        SampledMetrics metrics = context.profile().metrics();
        MetricsSection tables = new MetricsSection(metrics);
        boolean sampled = !metrics.series().isEmpty();
        return iffElse(
                metrics.isEmpty(),
                text(""),
                section(
                                h2("GPU metrics"),
                                each(metrics.absent(), absence -> p("Not sampled: " + absence)),
                                iff(sampled, div().withId("metrics").withClass("chart")),
                                iff(sampled, each(context.profile().problems(), tables::ofProblem)))
                        .withId("gpu-metrics"));
    }

    private DomContent ofProblem(ProblemProfile problem) {
        return div(
                table(
                        caption("During the measured runs of " + problem.title()),
                        thead(tr(each(COLUMNS, column -> th(column).attr("scope", "col")))),
                        tbody(each(metrics.summaries(problem.window()), MetricsSection::row))),
                each(metrics.clockEvents(problem.window()), events -> p(events.sentence())));
    }

    private static DomContent row(MetricSummary summary) {
        List<String> cells = MetricsText.cells(summary);
        return tr(th(cells.getFirst()).attr("scope", "row"), each(cells.subList(1, cells.size()), cell -> td(cell)));
    }
}
