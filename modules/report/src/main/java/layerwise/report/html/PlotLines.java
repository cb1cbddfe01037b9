package layerwise.report.html;

import static j2html.TagCreator.tag;

import j2html.tags.ContainerTag;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import layerwise.report.html.PlotShape.Place;
import layerwise.report.plot.Curve;
import layerwise.report.plot.Plot;
import layerwise.report.plot.PlotPoint;
import layerwise.report.plot.Segment;
import layerwise.report.render.Numbers;

/** What a plot's axes are for: limits, curves over them, and break-evens over both. */
record PlotLines(Plot plot, PlotAxis x, PlotAxis y, List<PlotCrossing> crossings) {
    private static final int BENDS = 8;

    /** All of them; labels of break-evens stand above {@code top}. */
    ContainerTag<?> draw(double top) {
        ContainerTag<?> group = tag("g");
        plot.curves().forEach(curve -> group.with(limit(curve)));
        plot.curves().forEach(curve -> group.with(curve(curve)));
        return group.with(breakEvens(top));
    }

    private Place place(double count, double nanos) {
        return new Place(x.at(count), y.at(nanos / 1000));
    }

    /**
     * The way through these points: straight, but where break-evens are marked as these are reckoned, lest curves cross
     * beside the mark; that is straight on two logarithmic axes and a bit bent on others.
     */
    private List<Place> way(List<Integer> counts, IntToDoubleFunction nanos) {
        int steps = crossings.isEmpty() || (x.logarithmic() && y.logarithmic()) ? 1 : BENDS;
        List<Place> places = new ArrayList<>();
        for (int i = 0; i + 1 < counts.size(); i++) {
            int from = counts.get(i);
            int to = counts.get(i + 1);
            Segment segment = new Segment(from, nanos.applyAsDouble(from), to, nanos.applyAsDouble(to));
            for (double step = 0; step < steps; step++) {
                places.add(place(segment.value(step / steps), segment.nanos(step / steps)));
            }
        }
        if (!counts.isEmpty()) {
            places.add(place(counts.getLast(), nanos.applyAsDouble(counts.getLast())));
        }
        return places;
    }

    private ContainerTag<?> limit(Curve curve) {
        List<Place> places = way(curve.limited(), at -> curve.points().get(at).limitNanos());
        ContainerTag<?> line = PlotLegend.dashed(
                PlotShape.path(places, PlotLook.of(curve, plot).colour()));
        return line.with(tag("title").withText("limit of " + plot.name(curve)));
    }

    private ContainerTag<?> curve(Curve curve) {
        PlotLook look = PlotLook.of(curve, plot);
        List<Place> places = way(
                List.copyOf(curve.points().keySet()),
                at -> curve.points().get(at).nanos());
        ContainerTag<?> line = PlotShape.path(places, look.colour());
        line.attr("stroke-width", "2");
        ContainerTag<?> group = tag("g");
        group.with(line);
        curve.points().forEach((at, point) -> {
            Place place = place(at, point.nanos());
            ContainerTag<?> mark = tag("g");
            mark.with(tag("title").withText(words(curve, at, point)));
            mark.with(PlotShape.circle(place, 10, look.colour()).attr("fill-opacity", "0")); // easier to hit
            group.with(mark.with(PlotShape.mark(look.mark(), place, look.colour())));
        });
        return group;
    }

    private String words(Curve curve, int at, PlotPoint point) {
        String words = plot.name(curve) + "\n" + plot.over() + " " + at + ": " + Numbers.micros(point.nanos()) + " us";
        return point.hasLimit()
                ? words + "\nlimit " + Numbers.micros(point.limitNanos()) + " us, " + Numbers.percent(point.ofLimit())
                        + " %"
                : words;
    }

    private ContainerTag<?> breakEvens(double top) {
        ContainerTag<?> group = tag("g");
        for (PlotCrossing one : crossings) {
            Place at = new Place(x.at(one.crossing().at()), y.at(one.crossing().nanos() / 1000));
            double labelled = top - 6 - PlotFigure.ROW * one.row();
            ContainerTag<?> line =
                    PlotShape.line(new Place(at.x(), labelled + 3), new Place(at.x(), y.start()), PlotColour.INK);
            line.attr("stroke-dasharray", "1 3");
            ContainerTag<?> mark = tag("g");
            mark.with(tag("title")
                    .withText(one.label() + ": " + Numbers.micros(one.crossing().nanos()) + " us"));
            mark.with(line).with(PlotLegend.crossing(at));
            group.with(mark.with(PlotShape.text(new Place(one.right(), labelled), "end", PlotColour.INK, one.label())));
        }
        return group;
    }
}
