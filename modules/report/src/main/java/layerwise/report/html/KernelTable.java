package layerwise.report.html;

import static j2html.TagCreator.button;
import static j2html.TagCreator.caption;
import static j2html.TagCreator.col;
import static j2html.TagCreator.colgroup;
import static j2html.TagCreator.div;
import static j2html.TagCreator.each;
import static j2html.TagCreator.iff;
import static j2html.TagCreator.span;
import static j2html.TagCreator.table;
import static j2html.TagCreator.tbody;
import static j2html.TagCreator.td;
import static j2html.TagCreator.tfoot;
import static j2html.TagCreator.th;
import static j2html.TagCreator.thead;
import static j2html.TagCreator.tr;

import j2html.tags.DomContent;
import j2html.tags.specialized.TrTag;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import layerwise.report.profile.MergedTable;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.render.Numbers;
import layerwise.report.render.ReportContext;
import layerwise.report.render.TableLine;
import layerwise.trace.ProblemSpec;

/** The table of kernels: a line for every module and row, a column for every problem. */
final class KernelTable {
    private final ReportContext context;
    private final List<TableLine> lines;

    private KernelTable(ReportContext context, List<TableLine> lines) {
        this.context = context;
        this.lines = lines;
    }

    static DomContent of(ReportContext context, List<TableLine> lines) {
        KernelTable kernels = new KernelTable(context, lines);
        int problems = context.table().titles().size();
        DomContent table = table(
                        caption("Mean GPU time (us); a module shows the sum of its kernels"),
                        colgroup(col().withClass("name"), each(kernels.numbers(problems), p -> col())),
                        thead(each(kernels.header(), row -> row)),
                        tbody(each(kernels.numbers(lines.size()), kernels::line)),
                        tfoot(each(kernels.numbers(lines.size()), kernels::footer)))
                .withId("kernels");
        return div(table, div().withId("column").attr("hidden"))
                .withClass("kernels " + (problems <= 4 ? "few" : "many"))
                .attr("style", "--problems:" + problems + ";min-width:" + (220 + 72 * problems) + "px");
    }

    private List<Integer> numbers(int count) {
        return IntStream.range(0, count).boxed().toList();
    }

    /** A row of headings for each length that differs between problems, then the titles. */
    private List<TrTag> header() {
        List<TrTag> rows = new ArrayList<>();
        List<List<String>> levels = levels();
        for (int level = 0; level < levels.size(); level++) {
            TrTag row = tr();
            if (level == 0) {
                row.with(th("Kernel Name").attr("rowspan", levels.size() + 1).attr("scope", "col"));
            }
            spans(levels.get(level)).forEach(row::with);
            rows.add(row);
        }
        TrTag titles = tr().withClass("titles");
        if (levels.isEmpty()) {
            titles.with(th("Kernel Name").attr("scope", "col"));
        }
        for (int p = 0; p < context.table().titles().size(); p++) {
            titles.with(th(button(context.table().titles().get(p)).attr("data-problem", p))
                    .attr("scope", "col")
                    .attr("aria-sort", "none"));
        }
        rows.add(titles);
        return rows;
    }

    private List<List<String>> levels() {
        List<Optional<ProblemSpec>> specs =
                context.profile().problems().stream().map(ProblemProfile::spec).toList();
        List<List<String>> all = List.of(
                specs.stream()
                        .map(s -> s.map(v -> "b=" + v.batchSize()).orElse(""))
                        .toList(),
                specs.stream()
                        .map(s -> s.map(v -> "q=" + v.seqLenQ()).orElse(""))
                        .toList(),
                specs.stream()
                        .map(s -> s.map(v -> "past=" + v.seqLenKvCache()).orElse(""))
                        .toList());
        return all.stream()
                .filter(level -> level.stream().distinct().count() > 1)
                .toList();
    }

    private static List<DomContent> spans(List<String> labels) {
        List<DomContent> spans = new ArrayList<>();
        int from = 0;
        while (from < labels.size()) {
            int to = from;
            while (to < labels.size() && labels.get(to).equals(labels.get(from))) {
                to++;
            }
            spans.add(th(labels.get(from)).attr("colspan", to - from).attr("scope", "colgroup"));
            from = to;
        }
        return spans;
    }

    private DomContent line(int number) {
        return iff(lines.get(number).kind() != MergedTable.Kind.TOTAL, row(number));
    }

    private DomContent footer(int number) {
        return iff(lines.get(number).kind() == MergedTable.Kind.TOTAL, row(number));
    }

    private TrTag row(int number) {
        TableLine line = lines.get(number);
        TrTag row = tr(th(span(line.name()))
                .attr("scope", "row")
                .attr("style", "--depth:" + line.depth())
                .attr("title", line.name()));
        row.attr("data-line", number).withClass(line.leaf() ? "leaf" : "module");
        for (Optional<TableLine.Value> value : line.values()) {
            row.with(value.map(v -> td(Numbers.micros(v.nanos()))
                            .attr("style", "--share:" + Numbers.fixed(Math.clamp(v.share(), 0, 1) * 100, 2) + "%"))
                    .orElseGet(() -> td()));
        }
        return row;
    }
}
