package layerwise.bench.estimate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The points that no other point beats in both throughput and latency. */
final class ParetoFront {
    private ParetoFront() {}

    /** In order of latency. */
    static List<SweepPoint> of(List<SweepPoint> points) {
        List<SweepPoint> sorted = new ArrayList<>(points);
        sorted.sort(Comparator.comparingDouble(SweepPoint::latencyMillis)
                .thenComparing(
                        Comparator.comparingDouble(SweepPoint::throughput).reversed()));
        List<SweepPoint> front = new ArrayList<>();
        double best = 0;
        for (SweepPoint point : sorted) {
            if (point.throughput() > best) {
                best = point.throughput();
                front.add(point);
            }
        }
        return front;
    }
}
