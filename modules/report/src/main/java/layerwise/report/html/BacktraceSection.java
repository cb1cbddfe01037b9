package layerwise.report.html;

import static j2html.TagCreator.details;
import static j2html.TagCreator.iffElse;
import static j2html.TagCreator.pre;
import static j2html.TagCreator.summary;
import static j2html.TagCreator.text;

import j2html.tags.DomContent;
import layerwise.report.render.Backtraces;
import layerwise.report.render.ReportContext;

/** All call chains with the rows that each launched; the script shows the selected row's beside the charts. */
final class BacktraceSection {
    private BacktraceSection() {}

    /** The section; nothing where no frames were recorded. */
    static DomContent of(ReportContext context) {
        String chains = Backtraces.text(context.profile());
        return iffElse(
                chains.isEmpty(),
                text(""),
                details(summary("Call chains of launches"), pre(chains)).withId("backtraces"));
    }
}
