package layerwise.report.profile;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.trace.CostRecord;
import layerwise.trace.Marker;
import layerwise.trace.Markers;
import layerwise.trace.NvtxRanges;
import layerwise.trace.TraceException;

/**
 * What the markers of a trace say: the run's arguments, its problems and their runs and ranges.
 *
 * <p>A range belongs to the last problem whose marker starts no later. Ranges of NCCL's domain, texts that start with
 * {@code [DG]} and the benchmark's other markers are no modules; ranges before the first problem belong to none.
 */
final class Recording {
    private static final String DEEP_GEMM = "[DG]";

    private final NvtxRanges ranges;
    private final List<Marker> markers;
    private final Map<String, Object> runArgs = new LinkedHashMap<>();
    private final List<ProblemRanges> problems = new ArrayList<>();

    private Recording(NvtxRanges ranges) {
        this.ranges = ranges;
        this.markers = ranges.texts().stream().map(Markers::parse).toList();
    }

    /**
     * Reads the markers.
     *
     * @throws TraceException if a marker is damaged or a problem has no run; no problems at all are no error here
     */
    static Recording read(NvtxRanges ranges) {
        Recording recording = new Recording(ranges);
        for (int i = 0; i < ranges.size(); i++) {
            recording.readFacts(i);
        }
        int current = -1;
        List<ProblemRanges> problems = recording.problems;
        for (int i = 0; i < ranges.size(); i++) {
            while (current + 1 < problems.size() && problems.get(current + 1).start() <= ranges.start(i)) {
                current++;
            }
            if (current >= 0) {
                recording.readRange(i, problems.get(current));
            }
        }
        for (ProblemRanges problem : problems) {
            if (problem.runs() == 0) {
                throw new TraceException("problem "
                        + Markers.run(problem.spec(), 1).replaceAll(" NP1$", "") + " has no run in the trace");
            }
        }
        return recording;
    }

    private void readFacts(int range) {
        switch (marker(range)) {
            case Marker.Args args -> {
                runArgs.clear();
                runArgs.putAll(args.values());
            }
            case Marker.Problem problem -> problems.add(new ProblemRanges(problem.spec(), ranges.start(range)));
            case Marker.Run run -> {}
            case Marker.Ignore ignore -> {}
            case Marker.Layer layer -> {}
            case Marker.Cost cost -> {}
            case Marker.Unknown unknown -> {}
            case Marker.Module module -> {}
        }
    }

    private void readRange(int range, ProblemRanges problem) {
        switch (marker(range)) {
            case Marker.Run run -> problem.addRun(run.label(), ranges.start(range), ranges.end(range));
            case Marker.Ignore ignore -> problem.addModule(range);
            case Marker.Cost cost -> problem.addModule(range);
            case Marker.Module module -> {
                if (isModule(range)) {
                    problem.addModule(range);
                }
            }
            case Marker.Args args -> {}
            case Marker.Problem other -> {}
            case Marker.Layer layer -> {}
            case Marker.Unknown unknown -> {}
        }
    }

    private boolean isModule(int range) {
        return !ranges.isNccl(range) && !text(range).regionMatches(true, 0, DEEP_GEMM, 0, DEEP_GEMM.length());
    }

    NvtxRanges ranges() {
        return ranges;
    }

    Map<String, Object> runArgs() {
        return runArgs;
    }

    List<ProblemRanges> problems() {
        return problems;
    }

    String text(int range) {
        return ranges.texts().get(ranges.textNumber(range));
    }

    /** Whether the range takes part in paths; cost records do not. */
    boolean isInPath(int range) {
        return !(marker(range) instanceof Marker.Cost);
    }

    boolean isIgnore(int range) {
        return marker(range) instanceof Marker.Ignore;
    }

    /** The cost that the range states, if it states one. */
    Optional<CostRecord> cost(int range) {
        return marker(range) instanceof Marker.Cost cost ? Optional.of(cost.record()) : Optional.empty();
    }

    private Marker marker(int range) {
        return markers.get(ranges.textNumber(range));
    }
}
