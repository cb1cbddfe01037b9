package layerwise.bench.estimate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A sweep as one HTML file without scripts and network: throughput against latency, and every point in a table. */
final class SweepPage {
    private static final String STYLE = """
            :root { color-scheme: light dark; --grid: #8884; --text: light-dark(#222, #ddd); }
            body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5em; color: var(--text); }
            svg { max-width: 100%; height: auto; }
            svg text { fill: var(--text); font-size: 12px; }
            .grid { stroke: var(--grid); } .front { fill: none; stroke: var(--text); stroke-dasharray: 6 4; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
            caption { text-align: left; padding: .5em 0; }
            th, td { padding: .15em .7em; border-bottom: 1px solid var(--grid); text-align: right; }
            th:first-child, td:first-child { text-align: left; }
            tr.front-row td:first-child::before { content: "\\25C6 "; }
            .legend { columns: 2; list-style: none; padding: 0; }
            """;

    private SweepPage() {}

    /**
     * The page.
     *
     * @param preamble lines about what was swept, and how far off estimates may be
     * @param skipped  combinations that cannot be, and why
     */
    static String render(List<String> preamble, List<SweepPoint> points, List<SweepPoint> front, List<String> skipped) {
        StringBuilder html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        html.append("<title>Layerwise sweep</title><style>").append(STYLE).append("</style></head><body>\n");
        html.append("<h1>Throughput against latency</h1>\n");
        preamble.forEach(line -> html.append("<p>").append(escape(line)).append("</p>\n"));
        Map<SweepPoint.Series, List<SweepPoint>> series = series(points);
        html.append(ParetoChart.render(series, front));
        table(points, front, html);
        if (!skipped.isEmpty()) {
            html.append("<h2>Left out</h2>\n<ul>\n");
            skipped.forEach(line -> html.append("<li>").append(escape(line)).append("</li>\n"));
            html.append("</ul>\n");
        }
        return html.append("</body></html>\n").toString();
    }

    private static Map<SweepPoint.Series, List<SweepPoint>> series(List<SweepPoint> points) {
        Map<SweepPoint.Series, List<SweepPoint>> series = new LinkedHashMap<>();
        points.forEach(point -> series.computeIfAbsent(point.where(), first -> new ArrayList<>())
                .add(point));
        return series;
    }

    private static void table(List<SweepPoint> points, List<SweepPoint> front, StringBuilder html) {
        html.append(
                "<table><caption>Every point; a diamond marks those that no other beats in both. Times of one step of ");
        html.append(
                "the slowest rank; latency and throughput through as many such layers as the model has.</caption>\n");
        html.append("<thead><tr>");
        for (String head : List.of(
                "where",
                "model",
                "batch",
                "queries",
                "cached",
                "estimated (us)",
                "measured (us)",
                "error (%)",
                "latency (ms)",
                "tokens/s/GPU",
                "memory (GB)")) {
            html.append("<th scope=\"col\">").append(escape(head)).append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        for (SweepPoint point : points) {
            html.append(front.contains(point) ? "<tr class=\"front-row\">" : "<tr>");
            cell(html, point.where().label());
            cell(html, point.where().model());
            cell(html, String.valueOf(point.problem().batchSize()));
            cell(html, String.valueOf(point.problem().seqLenQ()));
            cell(html, String.valueOf(point.problem().seqLenKvCache()));
            cell(html, number("%.1f", point.estimated()));
            if (point.measured().isPresent()) {
                cell(html, number("%.1f", point.measured().getAsDouble()));
                cell(
                        html,
                        number(
                                "%+.1f",
                                100 * (point.estimated() / point.measured().getAsDouble() - 1)));
            } else {
                cell(html, "");
                cell(html, "");
            }
            cell(html, number("%.3f", point.latencyMillis()));
            cell(html, number("%.0f", point.throughput()));
            cell(html, number("%.1f", point.gigabytes()) + (point.fits() ? "" : " does not fit"));
            html.append("</tr>\n");
        }
        html.append("</tbody></table>\n");
    }

    private static void cell(StringBuilder html, String text) {
        html.append("<td>").append(escape(text)).append("</td>");
    }

    static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** Text as HTML takes it for text. */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
