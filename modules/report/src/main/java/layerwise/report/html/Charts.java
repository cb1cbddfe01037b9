package layerwise.report.html;

import static j2html.TagCreator.aside;
import static j2html.TagCreator.div;
import static j2html.TagCreator.h2;
import static j2html.TagCreator.iff;
import static j2html.TagCreator.section;

import j2html.tags.DomContent;
import layerwise.report.render.Backtraces;
import layerwise.report.render.ReportContext;

/** Where the script draws. */
final class Charts {
    private Charts() {}

    static DomContent of(ReportContext context) {
        boolean traced = !Backtraces.of(context.profile()).isEmpty();
        return aside(
                        chart("bars", "Selected row over all problems"),
                        chart("icicle", "Selected problem by module"),
                        chart("timeline", "One run of the selected problem"),
                        chart("roofline", "Roofline of the selected problem"),
                        iff(traced, chart("frames", "Who launched the selected row")))
                .withId("charts")
                .attr("hidden");
    }

    private static DomContent chart(String id, String heading) {
        return section(h2(heading), div().withId(id).withClass("chart")).attr("aria-label", heading);
    }
}
