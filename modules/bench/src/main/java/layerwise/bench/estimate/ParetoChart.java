package layerwise.bench.estimate;

import static layerwise.bench.estimate.SweepPage.escape;
import static layerwise.bench.estimate.SweepPage.number;

import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** Points over two logarithmic axes as inline SVG; series differ in colour and in the shape of their marks. */
final class ParetoChart {
    private static final int WIDTH = 960;
    private static final int HEIGHT = 540;
    private static final int LEFT = 80;
    private static final int RIGHT = 20;
    private static final int TOP = 20;
    private static final int BOTTOM = 60;
    private static final int MARK = 5;
    private static final List<String> COLOURS = List.of(
            "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b", "#6a3d9a",
            "#b15928");

    private final double leastX;
    private final double mostX;
    private final double leastY;
    private final double mostY;
    private final StringBuilder svg = new StringBuilder();

    private ParetoChart(List<SweepPoint> points) {
        leastX = least(points, SweepPoint::latencyMillis) / 1.15;
        mostX = most(points, SweepPoint::latencyMillis) * 1.15;
        leastY = least(points, SweepPoint::throughput) / 1.3;
        mostY = most(points, SweepPoint::throughput) * 1.3;
    }

    private static double least(List<SweepPoint> points, ToDoubleFunction<SweepPoint> of) {
        return points.stream().mapToDouble(of).min().orElse(1);
    }

    private static double most(List<SweepPoint> points, ToDoubleFunction<SweepPoint> of) {
        return points.stream().mapToDouble(of).max().orElse(10);
    }

    /** The chart and its legend. */
    static String render(Map<SweepPoint.Series, List<SweepPoint>> series, List<SweepPoint> front) {
        List<SweepPoint> all = series.values().stream().flatMap(List::stream).toList();
        ParetoChart chart = new ParetoChart(all);
        chart.frame();
        chart.line(front, "front", "");
        int number = 0;
        StringBuilder legend = new StringBuilder("<ul class=\"legend\">\n");
        for (Map.Entry<SweepPoint.Series, List<SweepPoint>> one : series.entrySet()) {
            String colour = COLOURS.get(number % COLOURS.size());
            chart.line(one.getValue(), "", "fill=\"none\" stroke-opacity=\"0.4\" stroke=\"" + colour + "\"");
            for (SweepPoint point : one.getValue()) {
                chart.point(point, number, colour);
            }
            legend.append("<li><svg width=\"16\" height=\"16\" aria-hidden=\"true\">")
                    .append(mark(8, 8, number, colour, true))
                    .append("</svg> ")
                    .append(escape(one.getKey().label() + ", " + one.getKey().model()))
                    .append("</li>\n");
            number++;
        }
        chart.svg.append("</svg>\n");
        return chart.svg.append(legend).append("</ul>\n").toString();
    }

    private double x(double value) {
        return LEFT + (WIDTH - LEFT - RIGHT) * Math.log(value / leastX) / Math.log(mostX / leastX);
    }

    private double y(double value) {
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.log(value / leastY) / Math.log(mostY / leastY);
    }

    private void frame() {
        svg.append("<svg viewBox=\"0 0 %d %d\" width=\"%1$d\" role=\"img\" aria-label=\"throughput against latency\">%n"
                .formatted(WIDTH, HEIGHT));
        for (double decade = Math.pow(10, Math.floor(Math.log10(leastX))); decade <= mostX; decade *= 10) {
            for (int digit : new int[] {1, 2, 5}) {
                double at = decade * digit;
                if (at >= leastX && at <= mostX) {
                    gridLine(x(at), TOP, x(at), HEIGHT - BOTTOM);
                    text(x(at), HEIGHT - BOTTOM + 18, "middle", plain(at));
                }
            }
        }
        for (double decade = Math.pow(10, Math.floor(Math.log10(leastY))); decade <= mostY; decade *= 10) {
            for (int digit : new int[] {1, 2, 5}) {
                double at = decade * digit;
                if (at >= leastY && at <= mostY) {
                    gridLine(LEFT, y(at), WIDTH - RIGHT, y(at));
                    text(LEFT - 6, y(at) + 4, "end", plain(at));
                }
            }
        }
        text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16, "middle", "latency of a step through all layers (ms)");
        svg.append(("<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">"
                        + "query tokens per second and GPU</text>%n")
                .formatted((HEIGHT - BOTTOM + TOP) / 2));
    }

    private static String plain(double value) {
        return value >= 1 ? number("%.0f", value) : number("%.2g", value);
    }

    private void gridLine(double x1, double y1, double x2, double y2) {
        svg.append(number("<line class=\"grid\" x1=\"%.1f\"", x1))
                .append(number(" y1=\"%.1f\"", y1))
                .append(number(" x2=\"%.1f\"", x2))
                .append(number(" y2=\"%.1f\"/>\n", y2));
    }

    private void text(double x, double y, String anchor, String text) {
        svg.append(number("<text x=\"%.1f\"", x))
                .append(number(" y=\"%.1f\"", y))
                .append(" text-anchor=\"")
                .append(anchor)
                .append("\">")
                .append(escape(text))
                .append("</text>\n");
    }

    private void line(List<SweepPoint> points, String style, String attributes) {
        svg.append("<polyline class=\"")
                .append(style)
                .append("\" ")
                .append(attributes)
                .append(" points=\"");
        for (SweepPoint point : points) {
            svg.append(number("%.1f,", x(point.latencyMillis()))).append(number("%.1f ", y(point.throughput())));
        }
        svg.append("\"/>\n");
    }

    private void point(SweepPoint point, int number, String colour) {
        svg.append("<g><title>")
                .append(escape("%s: batch %d, %d queries, %d cached: %s ms, %s tokens/s/GPU, %s"
                        .formatted(
                                point.where().label(),
                                point.problem().batchSize(),
                                point.problem().seqLenQ(),
                                point.problem().seqLenKvCache(),
                                number("%.3f", point.latencyMillis()),
                                number("%.0f", point.throughput()),
                                point.measured().isPresent() ? "measured" : "estimated")))
                .append("</title>")
                .append(mark(
                        x(point.latencyMillis()),
                        y(point.throughput()),
                        number,
                        colour,
                        point.measured().isPresent()))
                .append("</g>\n");
    }

    /** Filled where it was measured. */
    private static String mark(double x, double y, int number, String colour, boolean filled) {
        String paint = " stroke=\"%s\" stroke-width=\"1.5\" fill=\"%s\"/>".formatted(colour, filled ? colour : "none");
        return switch (number / COLOURS.size() % 3) {
            case 0 -> number("<circle cx=\"%.1f\"", x) + number(" cy=\"%.1f\"", y) + " r=\"" + MARK + "\"" + paint;
            case 1 ->
                number("<rect x=\"%.1f\"", x - MARK)
                        + number(" y=\"%.1f\"", y - MARK)
                        + " width=\"" + 2 * MARK + "\" height=\"" + 2 * MARK + "\"" + paint;
            default ->
                number("<path d=\"M%.1f", x)
                        + number(" %.1f", y - MARK)
                        + " l" + MARK + " " + 2 * MARK + " h" + -2 * MARK + " z\"" + paint;
        };
    }
}
