package layerwise.report.plot;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceException;

/**
 * Traces that are drawn as one run.
 *
 * @param name   the part of their paths in which runs differ
 * @param traces one, or several that hold different problems
 */
public record PlotRun(String name, List<PlotTrace> traces) {
    public PlotRun {
        traces = List.copyOf(traces);
    }

    /**
     * The runs of these traces, in order. Traces that share the first part of their paths in which not all agree are one
     * run, recorded in parts, unless a problem is in two of them.
     *
     * @throws TraceException if a trace is given twice
     */
    static List<PlotRun> of(List<PlotTrace> traces) {
        List<List<String>> names =
                DistinctNames.of(traces.stream().map(PlotTrace::file).toList());
        Map<String, List<Integer>> groups = new LinkedHashMap<>();
        for (int t = 0; t < traces.size(); t++) {
            if (names.indexOf(names.get(t)) < t) {
                throw new TraceException(traces.get(t).file() + ": is given twice; expected different traces");
            }
            groups.computeIfAbsent(names.get(t).getFirst(), name -> new ArrayList<>())
                    .add(t);
        }
        List<PlotRun> runs = new ArrayList<>();
        groups.forEach((name, members) -> {
            List<PlotTrace> parts = members.stream().map(traces::get).toList();
            if (areDisjoint(parts)) {
                runs.add(new PlotRun(name, parts));
            } else {
                members.forEach(t -> runs.add(new PlotRun(String.join("/", names.get(t)), List.of(traces.get(t)))));
            }
        });
        return runs;
    }

    private static boolean areDisjoint(List<PlotTrace> parts) {
        Set<ProblemSpec> seen = new HashSet<>();
        for (PlotTrace part : parts) {
            List<ProblemSpec> problems =
                    part.points().stream().map(PlotPoint::problem).distinct().toList();
            if (problems.stream().anyMatch(seen::contains)) {
                return false;
            }
            seen.addAll(problems);
        }
        return true;
    }

    /** All points, in order of the traces. */
    List<PlotPoint> points() {
        return traces.stream().flatMap(trace -> trace.points().stream()).toList();
    }
}
