package layerwise.report.html;

import java.util.List;

/** One timeline on the axis of the reference, microseconds. */
public record Series(String name, List<Point> points) {
    /** One kernel. */
    public record Point(String kernel, double place, double duration, double end) {}

    public Series {
        points = List.copyOf(points);
    }
}
