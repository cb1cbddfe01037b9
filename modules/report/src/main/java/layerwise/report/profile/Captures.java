package layerwise.report.profile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import layerwise.trace.Markers;
import layerwise.trace.TraceException;

/** The capture intervals of one problem and the module ranges around each. */
final class Captures {
    private static final int[] OUTSIDE = {};

    private final Recording recording;
    private final int[] keys;
    private final int[][] enclosing;
    private final int[] pathOf;
    private final List<List<String>> paths = new ArrayList<>();
    private final Map<List<String>, Integer> pathNumbers = new HashMap<>();

    /**
     * Finds the ranges around every capture.
     *
     * @param captures keys of {@link Attribution}, in any order, with repeats
     */
    Captures(Recording recording, ProblemRanges problem, Attribution attribution, int[] captures) {
        this.recording = recording;
        keys = distinct(captures);
        enclosing = new int[keys.length][];
        pathOf = new int[keys.length];
        // The key of an unexplained capture is the smallest and has no interval.
        int known = keys.length > 0 && keys[0] == Attribution.UNKNOWN ? 1 : 0;
        int[] order = new int[keys.length];
        Arrays.setAll(order, i -> i);
        IndexSort.sort(
                order,
                known,
                order.length,
                (a, b) -> Long.compare(attribution.captureStart(keys[a]), attribution.captureStart(keys[b])));
        if (known == 1) {
            enclosing[0] = OUTSIDE;
            pathOf[0] = number(OUTSIDE);
        }
        EnclosingRanges search = new EnclosingRanges(recording.ranges(), problem.modules());
        for (int o = known; o < order.length; o++) {
            int i = order[o];
            enclosing[i] = search.containing(attribution.captureStart(keys[i]), attribution.captureEnd(keys[i]));
            boolean asBefore = o > known && Arrays.equals(enclosing[i], enclosing[order[o - 1]]);
            pathOf[i] = asBefore ? pathOf[order[o - 1]] : number(enclosing[i]);
        }
    }

    private static int[] distinct(int[] captures) {
        int[] sorted = captures.clone();
        Arrays.sort(sorted);
        int count = 0;
        for (int i = 0; i < sorted.length; i++) {
            if (i == 0 || sorted[i] != sorted[i - 1]) {
                sorted[count++] = sorted[i];
            }
        }
        return Arrays.copyOf(sorted, count);
    }

    private int number(int[] ranges) {
        List<String> path = new ArrayList<>();
        for (int range : ranges) {
            if (recording.isInPath(range)) {
                path.add(recording.text(range));
            }
        }
        return pathNumbers.computeIfAbsent(path, added -> {
            paths.add(List.copyOf(added));
            return paths.size() - 1;
        });
    }

    /** Number of the path around a capture. */
    int path(int capture) {
        return pathOf[Arrays.binarySearch(keys, capture)];
    }

    /** Texts of a path, outer before inner. */
    List<String> texts(int path) {
        return paths.get(path);
    }

    /** The ranges around a capture, cost ranges among them. */
    int[] enclosing(int capture) {
        return enclosing[Arrays.binarySearch(keys, capture)];
    }

    /** For every path, whether a report shows it. */
    boolean[] shown(String module) {
        boolean[] shown = new boolean[paths.size()];
        for (int p = 0; p < shown.length; p++) {
            List<String> path = paths.get(p);
            shown[p] = !path.contains(Markers.ignore()) && (module == null || path.contains(module));
        }
        return shown;
    }

    /**
     * Checks that a module's name stands for one range in each run.
     *
     * @throws TraceException if it stands for several
     */
    void checkUnambiguous(String module, ProblemRanges problem) {
        Map<Integer, Integer> timesInRun = new TreeMap<>();
        Arrays.stream(enclosing)
                .flatMapToInt(Arrays::stream)
                .distinct()
                .filter(range -> recording.text(range).equals(module))
                .forEach(range ->
                        timesInRun.merge(problem.runsBegunBy(recording.ranges().start(range)), 1, Integer::sum));
        timesInRun.forEach((run, times) -> {
            if (times > 1) {
                throw new TraceException("Module is ambiguous: \"" + module + "\" appears " + times + " times in \""
                        + problem.title() + "\"'s " + run + "-th run");
            }
        });
    }
}
