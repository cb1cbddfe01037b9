package layerwise.report.html;

import java.util.List;
import layerwise.report.profile.MergedTable;
import layerwise.report.render.UntimedReport;

/** What ran where ranks shared a GPU, as a page. */
public final class UntimedPage {
    private UntimedPage() {}

    public static String render(String source, MergedTable table) {
        return TablePage.render(
                "Kernels by module",
                List.of(source, UntimedReport.LABEL),
                List.of(new TablePage.Block(
                        "Kernels, copies and memory sets",
                        UntimedReport.columns(table).stream()
                                .map(TablePage.Column::text)
                                .toList(),
                        UntimedReport.lines(table).stream()
                                .map(line ->
                                        line.stream().map(TablePage.Cell::of).toList())
                                .toList())));
    }
}
