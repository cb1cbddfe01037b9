package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.report.profile.Cost;
import layerwise.report.profile.Samples;

/** The figures that a row or a module has in every text table. */
final class Figures {
    private static final List<String> NAMES =
            List.of("mean", "median", "P90", "share", "compute", "memory", "links", "limit", "ceiling", "bound");
    private static final List<String> UNITS =
            List.of("(us)", "(us)", "(us)", "(%)", "(TFLOP/s)", "(GB/s)", "(GB/s)", "(%)", "(%)", "by");
    private static final int COST_COLUMNS = 6;

    private Figures() {}

    /** The lines of names and units after a table's own first columns. */
    static List<List<String>> heads(List<String> names, List<String> units) {
        return List.of(joined(names, NAMES), joined(units, UNITS));
    }

    /** How many columns a table shows that begins with {@code own} ones: rates only where the trace has costs. */
    static int columns(int own, boolean priced) {
        return own + NAMES.size() - (priced ? 0 : COST_COLUMNS);
    }

    /** A line that begins with a table's own columns; rates are empty where there is no cost. */
    static List<String> line(List<String> own, double nanos, Samples samples, double share, Optional<Cost> cost) {
        return joined(
                own,
                List.of(
                        Numbers.micros(nanos),
                        Numbers.micros(samples.median()),
                        Numbers.micros(samples.p90()),
                        Numbers.percent(share),
                        cost.map(c -> Numbers.significant(c.teraflops(nanos))).orElse(""),
                        cost.map(c -> Numbers.significant(c.gigabytes(nanos))).orElse(""),
                        cost.filter(c -> c.linkBytes() > 0)
                                .map(c -> Numbers.significant(c.linkGigabytes(nanos)))
                                .orElse(""),
                        cost.map(c -> Numbers.percent(c.ofLimit(nanos))).orElse(""),
                        cost.map(c -> Numbers.percent(c.ofCeiling(nanos))).orElse(""),
                        cost.map(Cost::bound).orElse("")));
    }

    private static List<String> joined(List<String> first, List<String> second) {
        List<String> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }
}
