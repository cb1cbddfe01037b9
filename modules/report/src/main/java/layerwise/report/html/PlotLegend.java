package layerwise.report.html;

import static j2html.TagCreator.tag;

import j2html.tags.ContainerTag;
import layerwise.report.html.PlotShape.Place;
import layerwise.report.plot.Curve;
import layerwise.report.plot.Plot;

/** What the lines of a plot are: its curves, and what is the same for all of them. */
record PlotLegend(Plot plot) {
    private static final double ROW = 20;
    private static final double SAMPLE = 34;
    private static final double LETTER = 7.6;
    private static final int LONGEST = 40;

    private boolean hasLimits() {
        return plot.curves().stream().anyMatch(curve -> !curve.limited().isEmpty());
    }

    private boolean hasCrossings() {
        return plot.breakEvens().stream()
                .anyMatch(breakEven -> !breakEven.crossings().isEmpty());
    }

    double width() {
        int letters = plot.curves().stream()
                .mapToInt(curve -> Math.min(LONGEST, plot.name(curve).length()))
                .max()
                .orElse(0);
        return SAMPLE + 10 + Math.max(10, letters) * LETTER;
    }

    double height() {
        return ROW * (plot.curves().size() + (hasLimits() ? 1 : 0) + (hasCrossings() ? 1 : 0));
    }

    /** The legend with its upper left corner here. */
    ContainerTag<?> at(Place corner) {
        ContainerTag<?> group = tag("g");
        double y = corner.y() + ROW / 2;
        for (Curve curve : plot.curves()) {
            PlotLook look = PlotLook.of(curve, plot);
            Place middle = new Place(corner.x() + SAMPLE / 2, y);
            group.with(sample(corner.x(), y, look.colour()).attr("stroke-width", "2"))
                    .with(PlotShape.mark(look.mark(), middle, look.colour()))
                    .with(name(corner.x(), y, plot.name(curve)));
            y += ROW;
        }
        if (hasLimits()) {
            group.with(dashed(sample(corner.x(), y, PlotColour.INK))).with(name(corner.x(), y, "limit"));
            y += ROW;
        }
        if (hasCrossings()) {
            group.with(crossing(new Place(corner.x() + SAMPLE / 2, y))).with(name(corner.x(), y, "break-even"));
        }
        return group;
    }

    /** A line as limits have it. */
    static ContainerTag<?> dashed(ContainerTag<?> line) {
        line.attr("stroke-width", "1.5").attr("stroke-dasharray", "5 4");
        return line;
    }

    /** The mark of a break-even. */
    static ContainerTag<?> crossing(Place at) {
        ContainerTag<?> ring = PlotShape.circle(at, 7, PlotColour.INK);
        ring.attr("fill", "none").attr("stroke", "currentColor").attr("stroke-width", "1.5");
        return ring;
    }

    private static ContainerTag<?> sample(double x, double y, PlotColour colour) {
        return PlotShape.line(new Place(x, y), new Place(x + SAMPLE, y), colour);
    }

    private static ContainerTag<?> name(double x, double y, String name) {
        String shown = name.length() <= LONGEST ? name : name.substring(0, LONGEST - 1) + "…";
        ContainerTag<?> text = PlotShape.text(new Place(x + SAMPLE + 8, y + 4.5), "start", PlotColour.INK, shown);
        return shown.equals(name) ? text : text.with(tag("title").withText(name));
    }
}
