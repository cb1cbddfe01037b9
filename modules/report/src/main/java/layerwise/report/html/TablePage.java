package layerwise.report.html;

import static j2html.TagCreator.body;
import static j2html.TagCreator.button;
import static j2html.TagCreator.div;
import static j2html.TagCreator.document;
import static j2html.TagCreator.each;
import static j2html.TagCreator.h1;
import static j2html.TagCreator.h2;
import static j2html.TagCreator.head;
import static j2html.TagCreator.header;
import static j2html.TagCreator.html;
import static j2html.TagCreator.input;
import static j2html.TagCreator.label;
import static j2html.TagCreator.main;
import static j2html.TagCreator.meta;
import static j2html.TagCreator.nav;
import static j2html.TagCreator.p;
import static j2html.TagCreator.rawHtml;
import static j2html.TagCreator.script;
import static j2html.TagCreator.section;
import static j2html.TagCreator.style;
import static j2html.TagCreator.table;
import static j2html.TagCreator.tbody;
import static j2html.TagCreator.td;
import static j2html.TagCreator.text;
import static j2html.TagCreator.th;
import static j2html.TagCreator.thead;
import static j2html.TagCreator.title;
import static j2html.TagCreator.tr;

import j2html.tags.DomContent;
import j2html.tags.specialized.TdTag;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.report.render.Numbers;

/**
 * Tables as a page of their own: complete without scripts; with them, a click on a heading sorts and a search filters.
 */
final class TablePage {
    /** A heading; texts stand to the left, figures to the right. */
    record Column(String name, String unit, boolean figures) {
        static Column text(String name) {
            return new Column(name, "", false);
        }

        static Column figures(String name, String unit) {
            return new Column(name, unit, true);
        }
    }

    /** A cell, the length of the bar behind it, 0 to 1, and whether it is set off from its row. */
    record Cell(String text, double bar, boolean strong) {
        static Cell of(String text) {
            return new Cell(text, 0, false);
        }
    }

    /** One table. */
    record Block(String heading, List<Column> columns, List<List<Cell>> rows) {}

    private TablePage() {}

    static String render(String title, List<String> preamble, List<Block> blocks) {
        return render(title, preamble, text(""), blocks);
    }

    /** The same with an image above the tables. */
    static String render(String title, List<String> preamble, DomContent image, List<Block> blocks) {
        return document(html(
                        head(
                                meta().withCharset("utf-8"),
                                meta().withName("viewport").withContent("width=device-width, initial-scale=1"),
                                title(title + ": " + preamble.getFirst()),
                                style(rawHtml(HtmlReport.resource("report.css")))),
                        body(
                                header(h1(title), each(preamble, line -> p(line))),
                                toolbar(),
                                main(image, each(blocks, TablePage::block)),
                                script(rawHtml(HtmlReport.resource("tables.js")))))
                .withLang("en"));
    }

    private static DomContent toolbar() {
        return nav(
                        label(text("Search "), input().withType("search").withId("search")),
                        button("Dark / light").withId("theme"))
                .withId("toolbar")
                .attr("hidden")
                .attr("aria-label", "Table controls");
    }

    private static DomContent block(Block block) {
        return section(
                        h2(block.heading()),
                        div(table(
                                        thead(tr(each(block.columns(), TablePage::heading))),
                                        tbody(each(
                                                block.rows(),
                                                row -> tr(each(
                                                        IntStream.range(0, row.size())
                                                                .boxed()
                                                                .toList(),
                                                        c -> cell(
                                                                block.columns().get(c), row.get(c)))))))
                                .withClass("plain")))
                .withClass("block");
    }

    private static DomContent heading(Column column) {
        String unit = column.unit().isEmpty() ? "" : " (" + column.unit() + ")";
        return th(button(column.name() + unit))
                .attr("scope", "col")
                .attr("aria-sort", "none")
                .withClass(column.figures() ? "figures" : "texts");
    }

    private static TdTag cell(Column column, Cell cell) {
        TdTag tag =
                td(cell.text()).withClass((column.figures() ? "figures" : "texts") + (cell.strong() ? " strong" : ""));
        if (!column.figures()) {
            tag.attr("title", cell.text()); // a long one is cut
        }
        if (cell.bar() > 0) {
            tag.attr("style", "--share:" + Numbers.fixed(Math.min(1, cell.bar()) * 100, 2) + "%");
        }
        return tag;
    }
}
