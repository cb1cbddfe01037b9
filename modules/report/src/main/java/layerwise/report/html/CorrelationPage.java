package layerwise.report.html;

import static j2html.TagCreator.body;
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
import static j2html.TagCreator.meta;
import static j2html.TagCreator.p;
import static j2html.TagCreator.rawHtml;
import static j2html.TagCreator.script;
import static j2html.TagCreator.section;
import static j2html.TagCreator.style;
import static j2html.TagCreator.tag;
import static j2html.TagCreator.text;
import static j2html.TagCreator.title;

import j2html.tags.ContainerTag;
import j2html.tags.DomContent;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import layerwise.report.render.Numbers;

/** Durations and end times of several timelines over the kernels of one: two line charts, complete without scripts. */
public final class CorrelationPage {
    private static final double WIDTH = 1400;
    private static final double HEIGHT = 420;
    private static final double LEFT = 60;
    private static final double BOTTOM = 150;
    private static final List<String> COLOURS =
            List.of("#1763b6", "#c2410c", "#1f8a4c", "#8b2fc9", "#b8860b", "#0e7490", "#b3261e", "#5d6470");

    private final List<Series> series;
    private final List<String> labels;

    private CorrelationPage(List<Series> series, List<String> labels) {
        this.series = series;
        this.labels = labels;
    }

    /**
     * The page.
     *
     * @param series the reference first
     * @param labels short names of the reference's kernels
     */
    public static String render(List<Series> series, List<String> labels) {
        CorrelationPage page = new CorrelationPage(series, labels);
        return document(html(
                        head(
                                meta().withCharset("utf-8"),
                                title("Correlation"),
                                style(rawHtml(HtmlReport.resource("report.css")))),
                        body(
                                header(
                                        h1("CUDA Kernel Correlation"),
                                        p("Mean GPU time in microseconds over the kernels of the reference.")),
                                page.legend(),
                                page.chart("Kernel Duration", Series.Point::duration),
                                page.chart("Kernel End Time", Series.Point::end),
                                script(rawHtml(HtmlReport.resource("correlation.js")))))
                .withLang("en"));
    }

    private DomContent legend() {
        return div(
                        each(
                                numbers(series.size()),
                                s -> label(
                                                input().withType("checkbox")
                                                        .attr("checked")
                                                        .attr("data-series", s),
                                                text(" " + series.get(s).name()))
                                        .attr("style", "color:" + colour(s))),
                        label(
                                text("Zoom "),
                                input().withType("range")
                                        .withId("zoom")
                                        .attr("min", 1)
                                        .attr("max", 20)
                                        .attr("value", 1)))
                .withId("toolbar");
    }

    private DomContent chart(String heading, ToDoubleFunction<Series.Point> value) {
        double most = series.stream()
                .flatMap(s -> s.points().stream())
                .mapToDouble(value)
                .max()
                .orElse(1);
        ContainerTag<?> svg =
                tag("svg").attr("viewBox", "0 0 1400 420").attr("role", "img").attr("class", "zoomable");
        double step = step(most);
        for (double level = 0; level <= most; level += step) {
            svg.with(line(LEFT, y(level, most), WIDTH - 10, y(level, most), "grid"));
            svg.with(mark(LEFT - 6, y(level, most) + 4, "end", Numbers.micros(level * 1000)));
        }
        svg.with(mark(LEFT, 12, "start", "us"));
        for (int i = 0; i < labels.size(); i++) {
            String name = labels.get(i);
            svg.with(tag("text")
                    .attr(
                            "transform",
                            "translate(%s %s) rotate(60)".formatted(number(x(i + 1)), number(HEIGHT - BOTTOM + 12)))
                    .withText(name.length() > 30 ? name.substring(0, 30) : name));
        }
        svg.with(line(LEFT, HEIGHT - BOTTOM, WIDTH - 10, HEIGHT - BOTTOM, "axis"));
        numbers(series.size()).forEach(s -> svg.with(curve(s, value, most)));
        return section(h2(heading), div(svg).withClass("chart"));
    }

    /** A round distance of lines, 1, 2 or 5 times a power of ten, so that about four fit. */
    private static double step(double most) {
        double power = Math.pow(10, Math.floor(Math.log10(Math.max(1e-3, most / 4))));
        return DoubleStream.of(power, 2 * power, 5 * power, 10 * power)
                .filter(step -> step >= most / 4)
                .findFirst()
                .orElse(10 * power);
    }

    private DomContent curve(int s, ToDoubleFunction<Series.Point> value, double most) {
        List<Series.Point> points = series.get(s).points();
        ContainerTag<?> group = tag("g").attr("data-series", s);
        group.with(tag("polyline")
                .attr("fill", "none")
                .attr("stroke", colour(s))
                .attr(
                        "points",
                        points.stream()
                                .map(p -> number(x(p.place())) + "," + number(y(value.applyAsDouble(p), most)))
                                .collect(Collectors.joining(" "))));
        for (Series.Point point : points) {
            group.with(tag("circle")
                    .attr("cx", number(x(point.place())))
                    .attr("cy", number(y(value.applyAsDouble(point), most)))
                    .attr("r", 3)
                    .attr("fill", colour(s))
                    .with(tag("title")
                            .withText(series.get(s).name() + "\n" + point.kernel() + "\nx "
                                    + Numbers.fixed(point.place(), 2) + ", "
                                    + Numbers.fixed(value.applyAsDouble(point), 1) + " us")));
        }
        return group;
    }

    private static DomContent line(double x1, double y1, double x2, double y2, String kind) {
        return tag("line")
                .attr("class", kind)
                .attr("x1", number(x1))
                .attr("y1", number(y1))
                .attr("x2", number(x2))
                .attr("y2", number(y2));
    }

    private static DomContent mark(double x, double y, String anchor, String label) {
        return tag("text")
                .attr("x", number(x))
                .attr("y", number(y))
                .attr("text-anchor", anchor)
                .withText(label);
    }

    private double x(double place) {
        return LEFT + place / (labels.size() + 1) * (WIDTH - LEFT - 10);
    }

    private static double y(double value, double most) {
        return HEIGHT - BOTTOM - value / Math.max(1e-9, most) * (HEIGHT - BOTTOM - 20);
    }

    private static String number(double value) {
        return Numbers.fixed(value, 2);
    }

    private static String colour(int series) {
        return COLOURS.get(series % COLOURS.size());
    }

    private static List<Integer> numbers(int count) {
        return IntStream.range(0, count).boxed().toList();
    }
}
