package layerwise.report.plot;

import java.util.List;
import java.util.NavigableMap;
import layerwise.trace.ProblemSpec;

/**
 * The problems of one run that differ in nothing but the dimension plotted.
 *
 * @param run     number of its run, from 0
 * @param runName name of its run
 * @param held    what its problems share
 * @param setting what of it other curves have otherwise, in words; empty where that is nothing
 * @param points  by their values in the dimension plotted; at least one
 */
public record Curve(
        int run, String runName, ProblemSpec held, String setting, NavigableMap<Integer, PlotPoint> points) {
    /** Name among curves of several runs. */
    public String name() {
        return setting.isEmpty() ? runName : runName + ", " + setting;
    }

    /** Points that have a limit, in order. */
    public List<Integer> limited() {
        return points.keySet().stream().filter(at -> points.get(at).hasLimit()).toList();
    }
}
