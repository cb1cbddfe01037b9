package layerwise.report.plot;

import java.util.ArrayList;
import java.util.List;

/**
 * Where the second curve crosses the first, from the points that both have.
 *
 * @param over      the dimension plotted
 * @param common    values that both have, ascending
 * @param crossings in order; empty where one is never faster than the other, or too little is known
 * @param firstLead which is faster before the first crossing: below 0 the second, above 0 the first, 0 neither
 */
public record BreakEven(
        Dimension over, Curve first, Curve second, List<Integer> common, List<Crossing> crossings, int firstLead) {
    /**
     * A crossing.
     *
     * @param at    value of the dimension
     * @param nanos time of both, nanoseconds
     */
    public record Crossing(double at, double nanos) {}

    public BreakEven {
        common = List.copyOf(common);
        crossings = List.copyOf(crossings);
    }

    /** Interpolates linearly in the logarithms of value and time, between neighbouring points that both curves have. */
    static BreakEven of(Dimension over, Curve first, Curve second) {
        List<Integer> common = first.points().keySet().stream()
                .filter(second.points()::containsKey)
                .toList();
        List<Crossing> crossings = new ArrayList<>();
        double firstLead = 0;
        int last = -1; // the last point at which one was faster
        for (int i = 0; i < common.size(); i++) {
            double lead = lead(first, second, common.get(i));
            if (lead == 0) {
                continue;
            }
            if (last < 0) {
                firstLead = lead;
            } else if (Math.signum(lead) != Math.signum(lead(first, second, common.get(last)))) {
                crossings.add(crossing(first, second, common.get(last), common.get(last + 1)));
            }
            last = i;
        }
        return new BreakEven(over, first, second, common, crossings, (int) Math.signum(firstLead));
    }

    /** Whether both take the same time somewhere. */
    public boolean hasTies() {
        return common.stream().anyMatch(at -> lead(first, second, at) == 0);
    }

    /** Logarithm of the second's time over the first's. */
    private static double lead(Curve first, Curve second, int at) {
        return Math.log(second.points().get(at).nanos() / first.points().get(at).nanos());
    }

    /** From a point where one leads to the next one, where the other does or neither. */
    private static Crossing crossing(Curve first, Curve second, int from, int to) {
        double before = lead(first, second, from);
        double part = before / (before - lead(first, second, to));
        Segment segment = new Segment(
                from,
                first.points().get(from).nanos(),
                to,
                first.points().get(to).nanos());
        return new Crossing(segment.value(part), segment.nanos(part));
    }
}
