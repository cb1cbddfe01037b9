package layerwise.report.plot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceException;

/**
 * The time of a module or an operator over one dimension of the problems.
 *
 * @param subject    whose time it is
 * @param over       the dimension
 * @param runs       in order of the command line
 * @param curves     in order of the runs, then of their settings
 * @param shared     what all problems share beside the dimension, in words
 * @param breakEvens for two runs, one for each setting that both have
 */
public record Plot(
        Subject subject,
        Dimension over,
        List<PlotRun> runs,
        List<Curve> curves,
        String shared,
        List<BreakEven> breakEvens) {
    public Plot {
        runs = List.copyOf(runs);
        curves = List.copyOf(curves);
        breakEvens = List.copyOf(breakEvens);
    }

    /**
     * Sorts the points of these files into curves. Of a problem that a file holds twice the first counts.
     *
     * @throws TraceException if a file is given twice, or a run has but one value to draw a curve over
     */
    public static Plot of(Subject subject, Dimension over, List<PlotFile> files) {
        List<PlotRun> runs = PlotRun.of(files);
        runs.forEach(run -> requireSeveral(run, over));
        Settings settings = new Settings(
                over,
                runs.stream()
                        .flatMap(run -> run.points().stream())
                        .map(PlotPoint::problem)
                        .toList());
        List<Curve> curves = new ArrayList<>();
        for (int r = 0; r < runs.size(); r++) {
            Map<ProblemSpec, NavigableMap<Integer, PlotPoint>> held = new LinkedHashMap<>();
            for (PlotPoint point : runs.get(r).points()) {
                held.computeIfAbsent(over.without(point.problem()), first -> new TreeMap<>())
                        .putIfAbsent(over.of(point.problem()), point);
            }
            int run = r;
            held.forEach((spec, points) ->
                    curves.add(new Curve(run, runs.get(run).name(), spec, settings.differing(spec), points)));
        }
        return new Plot(
                subject,
                over,
                runs,
                curves,
                settings.shared(),
                runs.size() == 2 ? breakEvens(over, curves) : List.of());
    }

    /** Name of a curve among these: its run, where there are several, and its setting. */
    public String name(Curve curve) {
        return runs.size() == 1 && !curve.setting().isEmpty() ? curve.setting() : curve.name();
    }

    private static void requireSeveral(PlotRun run, Dimension over) {
        if (values(run, over) > 1) {
            return;
        }
        String others = Arrays.stream(Dimension.values())
                .filter(dimension -> values(run, dimension) > 1)
                .findFirst()
                .map(dimension -> "; did you mean --over " + dimension + "?")
                .orElse("");
        throw new TraceException(
                "--over " + over + ": " + run.files().getFirst().file() + " has one value of it, "
                        + over.of(run.points().getFirst().problem()) + "; expected at least 2" + others);
    }

    private static long values(PlotRun run, Dimension dimension) {
        return run.points().stream()
                .mapToInt(point -> dimension.of(point.problem()))
                .distinct()
                .count();
    }

    /** Curves of one setting in both runs; where each run has a single curve, those. */
    private static List<BreakEven> breakEvens(Dimension over, List<Curve> curves) {
        if (curves.size() == 2) {
            return List.of(BreakEven.of(over, curves.getFirst(), curves.getLast()));
        }
        List<BreakEven> all = new ArrayList<>();
        for (Curve first : curves) {
            for (Curve second : curves) {
                if (first.run() < second.run() && first.held().equals(second.held())) {
                    all.add(BreakEven.of(over, first, second));
                }
            }
        }
        return all;
    }
}
