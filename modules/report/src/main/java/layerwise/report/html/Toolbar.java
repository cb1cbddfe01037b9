package layerwise.report.html;

import static j2html.TagCreator.button;
import static j2html.TagCreator.each;
import static j2html.TagCreator.iff;
import static j2html.TagCreator.input;
import static j2html.TagCreator.label;
import static j2html.TagCreator.nav;
import static j2html.TagCreator.option;
import static j2html.TagCreator.select;
import static j2html.TagCreator.span;
import static j2html.TagCreator.text;

import j2html.tags.DomContent;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.report.render.TableLine;

/** What the script acts on; hidden where there is none. */
final class Toolbar {
    private Toolbar() {}

    static DomContent of(List<TableLine> lines) {
        int depth = lines.stream().mapToInt(TableLine::depth).max().orElse(0);
        boolean priced = lines.stream()
                .flatMap(line -> line.values().stream())
                .anyMatch(value -> value.flatMap(v -> v.cost()).isPresent());
        return nav(
                        button("Collapse All").attr("data-level", 0),
                        each(
                                IntStream.range(1, depth).boxed().toList(),
                                level -> button("Level " + level).attr("data-level", level)),
                        button("Expand All").attr("data-level", depth),
                        label(text("Search "), input().withType("search").withId("search")),
                        label(
                                text("Show "),
                                select(
                                                choice("mean", "mean (us)"),
                                                choice("median", "median (us)"),
                                                choice("p90", "P90 (us)"),
                                                choice("share", "share of total (%)"),
                                                iff(priced, choice("compute", "compute (TFLOP/s)")),
                                                iff(priced, choice("memory", "memory (GB/s)")),
                                                iff(priced, choice("limit", "of limit (%)")),
                                                iff(priced, choice("ceiling", "of ceiling (%)")))
                                        .withId("metric")),
                        label(input().withType("checkbox").withId("fold"), text(" Fold repeats"))
                                .withId("fold-label")
                                .attr("hidden"),
                        button("Sequence order").withId("unsort").attr("hidden"),
                        button("Dark / light").withId("theme"),
                        span("Click a name to fold, a title to sort, a cell to chart it; arrows move, + and - fold.")
                                .withClass("hint"))
                .withId("toolbar")
                .attr("hidden")
                .attr("aria-label", "Table controls");
    }

    private static DomContent choice(String value, String label) {
        return option(label).withValue(value);
    }
}
