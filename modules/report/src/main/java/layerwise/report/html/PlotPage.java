package layerwise.report.html;

import static j2html.TagCreator.div;
import static j2html.TagCreator.rawHtml;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.plot.Plot;
import layerwise.report.render.PlotTable;
import layerwise.report.render.PlotText;

/** A plot as a page: its image, where runs break even, and every point in a table. */
public final class PlotPage {
    private PlotPage() {}

    /**
     * The page.
     *
     * @param figure the image, as {@link PlotFigure} makes it
     */
    public static String render(Plot plot, PlotTable table, String figure) {
        List<String> preamble = new ArrayList<>();
        preamble.add(String.join(
                ", ",
                plot.runs().stream()
                        .flatMap(run -> run.files().stream())
                        .map(file -> file.file().toString())
                        .toList()));
        preamble.addAll(PlotText.notes(plot));
        preamble.addAll(PlotText.sentences(plot));
        preamble.add((plot.subject().statistic().equals("mean") ? "Mean" : "Median")
                + " GPU time in microseconds; dashed lines are limits by the GPU's nominal rates; every number is"
                + " defined in docs/definitions.md.");
        return TablePage.render(
                PlotText.title(plot),
                preamble,
                div(rawHtml(figure)).withClass("image"), // made of elements, so its texts are escaped
                List.of(new TablePage.Block("Points", columns(table), rows(table))));
    }

    private static List<TablePage.Column> columns(PlotTable table) {
        return table.columns().stream()
                .map(column -> new TablePage.Column(column.name(), column.unit(), column.figures()))
                .toList();
    }

    private static List<List<TablePage.Cell>> rows(PlotTable table) {
        return table.lines().stream()
                .map(line -> line.stream().map(TablePage.Cell::of).toList())
                .toList();
    }
}
