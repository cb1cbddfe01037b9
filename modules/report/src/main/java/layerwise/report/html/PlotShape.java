package layerwise.report.html;

import static j2html.TagCreator.tag;

import j2html.tags.ContainerTag;
import java.util.List;
import java.util.stream.Collectors;
import layerwise.report.render.Numbers;

/** Elements of a plot's image, coloured by {@code color} so that a style can change it. */
final class PlotShape {
    private static final int MARKS = 4;
    private static final double RADIUS = 4;

    /** A place in the image. */
    record Place(double x, double y) {
        @Override
        public String toString() {
            return number(x) + "," + number(y);
        }
    }

    private PlotShape() {}

    static ContainerTag<?> line(Place from, Place to, PlotColour colour) {
        return coloured("line", colour)
                .attr("x1", number(from.x()))
                .attr("y1", number(from.y()))
                .attr("x2", number(to.x()))
                .attr("y2", number(to.y()))
                .attr("stroke", "currentColor");
    }

    /** Straight lines from place to place. */
    static ContainerTag<?> path(List<Place> places, PlotColour colour) {
        return coloured("polyline", colour)
                .attr("points", places.stream().map(Place::toString).collect(Collectors.joining(" ")))
                .attr("fill", "none")
                .attr("stroke", "currentColor");
    }

    static ContainerTag<?> box(Place corner, double width, double height, PlotColour colour) {
        return coloured("rect", colour)
                .attr("x", number(corner.x()))
                .attr("y", number(corner.y()))
                .attr("width", number(width))
                .attr("height", number(height))
                .attr("fill", "currentColor");
    }

    static ContainerTag<?> circle(Place centre, double radius, PlotColour colour) {
        return coloured("circle", colour)
                .attr("cx", number(centre.x()))
                .attr("cy", number(centre.y()))
                .attr("r", number(radius));
    }

    /**
     * Text.
     *
     * @param anchor what of it stands at the place: {@code start}, {@code middle} or {@code end}
     */
    static ContainerTag<?> text(Place at, String anchor, PlotColour colour, String text) {
        return coloured("text", colour)
                .attr("x", number(at.x()))
                .attr("y", number(at.y()))
                .attr("text-anchor", anchor)
                .attr("fill", "currentColor")
                .withText(text);
    }

    /** The mark of a point; there are four kinds, of like size. */
    static ContainerTag<?> mark(int kind, Place at, PlotColour colour) {
        double x = at.x();
        double y = at.y();
        return switch (kind % MARKS) {
            case 0 -> circle(at, RADIUS, colour).attr("fill", "currentColor");
            case 1 -> box(new Place(x - 3.6, y - 3.6), 7.2, 7.2, colour);
            case 2 ->
                polygon(
                        List.of(
                                new Place(x, y - 5.4),
                                new Place(x + 5.4, y),
                                new Place(x, y + 5.4),
                                new Place(x - 5.4, y)),
                        colour);
            default ->
                polygon(List.of(new Place(x, y - 5.2), new Place(x + 5, y + 3.8), new Place(x - 5, y + 3.8)), colour);
        };
    }

    private static ContainerTag<?> polygon(List<Place> places, PlotColour colour) {
        return coloured("polygon", colour)
                .attr("points", places.stream().map(Place::toString).collect(Collectors.joining(" ")))
                .attr("fill", "currentColor");
    }

    private static ContainerTag<?> coloured(String name, PlotColour colour) {
        return tag(name).attr("class", colour.style()).attr("color", colour.light());
    }

    static String number(double value) {
        return Numbers.fixed(value, 1);
    }
}
