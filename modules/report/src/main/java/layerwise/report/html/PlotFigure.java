package layerwise.report.html;

import static j2html.TagCreator.rawHtml;
import static j2html.TagCreator.tag;
import static layerwise.report.html.PlotShape.number;

import j2html.tags.ContainerTag;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import layerwise.report.html.PlotShape.Place;
import layerwise.report.plot.Plot;
import layerwise.report.render.PlotText;

/** A plot as an image: SVG that stands alone or in a page, without scripts, legible on light and dark backgrounds. */
public final class PlotFigure {
    private static final double LEFT = 72;
    private static final double WIDTH = 640;
    private static final double HEIGHT = 400;
    private static final double TITLES = 66;
    static final double ROW = 16;
    private static final double BELOW = 66;
    private static final double LETTER = 6.7;
    private static final String STYLE = """
            .plot text { fill: currentColor; font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums }
            .plot .title text { font-size: 17px; font-weight: 600 }
            .plot .small text { font-size: 12px }
            """;

    private final Plot plot;
    private final PlotLegend legend;
    private final PlotAxis x;
    private final PlotAxis y;
    private final List<PlotCrossing> crossings;
    private final double top;
    private final double bottom;

    private PlotFigure(Plot plot) {
        this.plot = plot;
        this.legend = new PlotLegend(plot);
        List<Integer> counts = plot.curves().stream()
                .flatMap(curve -> curve.points().keySet().stream())
                .sorted()
                .toList();
        this.x = PlotAxis.ofCounts(counts.getFirst(), counts.getLast(), LEFT, LEFT + WIDTH);
        this.crossings = PlotCrossing.of(plot, x);
        int rows = crossings.stream()
                .mapToInt(crossing -> crossing.row() + 1)
                .max()
                .orElse(0);
        this.top = TITLES + ROW * rows;
        this.bottom = top + Math.max(HEIGHT, legend.height());
        double[] times = plot.curves().stream()
                .flatMap(curve -> curve.points().values().stream())
                .flatMapToDouble(point -> DoubleStream.of(point.nanos(), point.limitNanos()))
                .filter(nanos -> nanos > 0)
                .map(nanos -> nanos / 1000)
                .sorted()
                .toArray();
        this.y = PlotAxis.ofTimes(times[0], times[times.length - 1], bottom, top);
    }

    /** The image. */
    public static String render(Plot plot) {
        return new PlotFigure(plot).svg().render() + "\n";
    }

    private ContainerTag<?> svg() {
        double width = LEFT + WIDTH + 20 + legend.width();
        List<String> notes = notes((int) ((width - 24) / LETTER));
        double height = bottom + BELOW + ROW * notes.size();
        ContainerTag<?> content = tag("g").attr("class", "plot");
        content.with(PlotShape.box(new Place(0, 0), width, height, PlotColour.PAPER));
        content.with(titles());
        content.with(axes());
        content.with(new PlotLines(plot, x, y, crossings).draw(top));
        content.with(legend.at(new Place(LEFT + WIDTH + 16, top)));
        ContainerTag<?> small = tag("g").attr("class", "small");
        for (int i = 0; i < notes.size(); i++) {
            Place at = new Place(12, bottom + BELOW + ROW * i);
            small.with(PlotShape.text(at, "start", PlotColour.FAINT, notes.get(i)));
        }
        content.with(small);
        ContainerTag<?> svg = tag("svg").attr("xmlns", "http://www.w3.org/2000/svg");
        svg.attr("viewBox", "0 0 " + number(width) + " " + number(height))
                .attr("width", number(width))
                .attr("height", number(height))
                .attr("style", "max-width: 100%; height: auto")
                .attr("role", "img")
                .attr("aria-label", PlotText.title(plot));
        return svg.with(tag("style").with(rawHtml(STYLE + PlotColour.styles()))).with(content);
    }

    /** What is to be known of the times, in lines of so many letters. */
    private List<String> notes(int letters) {
        List<String> lines = new ArrayList<>();
        for (String note : PlotText.notes(plot)) {
            StringBuilder line = new StringBuilder();
            for (String word : note.split(" ")) {
                if (!line.isEmpty() && line.length() + 1 + word.length() > letters) {
                    lines.add(line.toString());
                    line.setLength(0);
                }
                line.append(line.isEmpty() ? "" : " ").append(word);
            }
            lines.add(line.toString());
        }
        return lines;
    }

    private ContainerTag<?> titles() {
        String facts = Stream.of(PlotText.gpus(plot), plot.shared())
                .filter(fact -> !fact.isEmpty())
                .reduce((gpus, shared) -> gpus + "; " + shared)
                .orElse("");
        ContainerTag<?> title = tag("g").attr("class", "title");
        title.with(PlotShape.text(new Place(12, 26), "start", PlotColour.INK, PlotText.title(plot)));
        ContainerTag<?> group = tag("g");
        return group.with(title).with(PlotShape.text(new Place(12, 48), "start", PlotColour.FAINT, facts));
    }

    private ContainerTag<?> axes() {
        ContainerTag<?> group = tag("g");
        for (PlotAxis.Tick tick : x.ticks()) {
            double at = x.at(tick.value());
            group.with(PlotShape.line(new Place(at, top), new Place(at, bottom), PlotColour.LINE));
            group.with(PlotShape.text(new Place(at, bottom + 18), "middle", PlotColour.INK, tick.label()));
        }
        for (PlotAxis.Tick tick : y.ticks()) {
            double at = y.at(tick.value());
            group.with(PlotShape.line(new Place(LEFT, at), new Place(LEFT + WIDTH, at), PlotColour.LINE));
            group.with(PlotShape.text(new Place(LEFT - 8, at + 4.5), "end", PlotColour.INK, tick.label()));
        }
        List<Place> frame = List.of(new Place(LEFT, top), new Place(LEFT, bottom), new Place(LEFT + WIDTH, bottom));
        group.with(PlotShape.path(frame, PlotColour.FAINT));
        String unit = plot.over().unit() + (x.isAbbreviated() ? "; 1k = 1024" : "");
        Place below = new Place(LEFT + WIDTH / 2, bottom + 40);
        group.with(PlotShape.text(below, "middle", PlotColour.INK, plot.over() + " (" + unit + ")"));
        ContainerTag<?> time = PlotShape.text(new Place(0, 0), "middle", PlotColour.INK, "time (µs)");
        time.attr("transform", "translate(22 " + number((top + bottom) / 2) + ") rotate(-90)");
        return group.with(time);
    }
}
