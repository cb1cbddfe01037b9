package layerwise.report.html;

import java.util.List;
import layerwise.report.render.Numbers;
import layerwise.report.table.PathRow;
import layerwise.trace.Exporter;

/** The kernels of a trace without markers as a page. */
public final class ListingPage {
    private ListingPage() {}

    public static String render(String source, Exporter exporter, List<PathRow> rows) {
        return TablePage.render(
                "CUDA kernels by NVTX path",
                List.of(
                        source + ", written by " + exporter,
                        "All GPU activities of the trace in microseconds; it has no layer-wise markers, so no runs;"
                                + " every number is defined in docs/definitions.md."),
                List.of(new TablePage.Block(
                        "Kernels, copies and memory sets",
                        List.of(
                                TablePage.Column.text("path"),
                                TablePage.Column.text("kernel"),
                                TablePage.Column.figures("count", ""),
                                TablePage.Column.figures("total", "us"),
                                TablePage.Column.figures("share", "%"),
                                TablePage.Column.figures("mean", "us"),
                                TablePage.Column.figures("median", "us"),
                                TablePage.Column.figures("P90", "us"),
                                TablePage.Column.figures("min", "us"),
                                TablePage.Column.figures("max", "us")),
                        rows.stream().map(ListingPage::row).toList())));
    }

    private static List<TablePage.Cell> row(PathRow row) {
        return List.of(
                TablePage.Cell.of(String.join(" > ", row.path())),
                TablePage.Cell.of(row.shortName()),
                TablePage.Cell.of(String.valueOf(row.count())),
                TablePage.Cell.of(Numbers.micros(row.total())),
                new TablePage.Cell(Numbers.percent(row.share()), row.share(), false),
                TablePage.Cell.of(Numbers.micros(row.mean())),
                TablePage.Cell.of(Numbers.micros(row.median())),
                TablePage.Cell.of(Numbers.micros(row.p90())),
                TablePage.Cell.of(Numbers.micros(row.min())),
                TablePage.Cell.of(Numbers.micros(row.max())));
    }
}
