package layerwise.report.profile;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.trace.ApiCalls;
import layerwise.trace.CallChains;
import layerwise.trace.GpuActivities;
import layerwise.trace.GraphNodes;

/**
 * Which run every GPU activity belongs to, and where it was captured.
 *
 * <p>The problem is the last one whose marker starts no later than the activity on the GPU; the run is the one inside
 * which the API call began, because GPU work may execute long after the CPU has left the run. An eager activity was
 * captured by that same call, a graph node where capture created it. Activities outside every run are left out.
 */
final class Attribution {
    /** Capture of an activity whose graph node the trace does not explain. */
    static final int UNKNOWN = Integer.MIN_VALUE;

    private static final int PARTS = 16;

    private final ApiCalls calls;
    private final CallChains chains;
    private final GraphNodes nodes;
    private final int[] callOf;
    private final int[] captures;
    private final int[] byRun;
    private final int[] runOffsets;
    private final int[] firstRun;
    private int withoutCall;

    Attribution(
            GpuActivities activities,
            ApiCalls calls,
            GraphNodes nodes,
            CallChains chains,
            List<ProblemRanges> problems) {
        this.calls = calls;
        this.chains = chains;
        this.nodes = nodes;
        int size = activities.size();
        callOf = new int[size];
        captures = new int[size];
        firstRun = new int[problems.size() + 1];
        long[] starts = new long[problems.size()];
        for (int p = 0; p < problems.size(); p++) {
            starts[p] = problems.get(p).start();
            firstRun[p + 1] = firstRun[p] + problems.get(p).runs();
        }
        int[] runs = new int[size];
        runOffsets = new int[firstRun[problems.size()] + 1];
        IntStream.range(0, PARTS).parallel().forEach(part -> {
            int from = (int) ((long) size * part / PARTS);
            int to = (int) ((long) size * (part + 1) / PARTS);
            attribute(activities, problems, starts, runs, from, to);
        });
        for (int i = 0; i < size; i++) {
            withoutCall += callOf[i] < 0 ? 1 : 0;
            if (runs[i] >= 0) {
                runOffsets[runs[i] + 1]++;
            }
        }
        for (int r = 0; r + 1 < runOffsets.length; r++) {
            runOffsets[r + 1] += runOffsets[r];
        }
        byRun = new int[runOffsets[runOffsets.length - 1]];
        int[] next = Arrays.copyOf(runOffsets, runOffsets.length);
        for (int i = 0; i < size; i++) {
            if (runs[i] >= 0) {
                byRun[next[runs[i]]++] = i;
            }
        }
    }

    private void attribute(
            GpuActivities activities, List<ProblemRanges> problems, long[] starts, int[] runs, int from, int to) {
        for (int i = from; i < to; i++) {
            // The nodes of one graph launch stand next to each other.
            boolean asBefore = i > from
                    && activities.correlation(i) == activities.correlation(i - 1)
                    && activities.process(i) == activities.process(i - 1);
            int call = asBefore ? callOf[i - 1] : calls.find(activities.process(i), activities.correlation(i));
            int problem = call < 0 ? -1 : lastNotAfter(starts, activities.start(i));
            int run = problem < 0 ? -1 : problems.get(problem).runAt(calls.start(call));
            callOf[i] = call;
            runs[i] = run < 0 ? -1 : firstRun[problem] + run;
            captures[i] = run < 0 ? UNKNOWN : capture(activities, i, call);
        }
    }

    private int capture(GpuActivities activities, int activity, int call) {
        if (activities.node(activity) == 0) {
            return call;
        }
        int creation = nodes.captured(activities.process(activity), activities.node(activity));
        return creation < 0 ? UNKNOWN : -1 - creation;
    }

    private static int lastNotAfter(long[] starts, long time) {
        int found = Arrays.binarySearch(starts, time);
        return found >= 0 ? found : -found - 2;
    }

    /** Activities of one run, in file order. */
    int[] activities(int problem, int run) {
        int bucket = firstRun[problem] + run;
        return Arrays.copyOfRange(byRun, runOffsets[bucket], runOffsets[bucket + 1]);
    }

    /** Where an activity was captured: a key for {@link #captureStart} and {@link #captureEnd}, or {@link #UNKNOWN}. */
    int capture(int activity) {
        return captures[activity];
    }

    long captureStart(int capture) {
        return capture >= 0 ? calls.start(capture) : nodes.start(-1 - capture);
    }

    long captureEnd(int capture) {
        return capture >= 0 ? calls.end(capture) : nodes.end(-1 - capture);
    }

    /** Who made the captured call, innermost frame first; none where that was not recorded. */
    List<String> frames(int capture) {
        if (capture == UNKNOWN || chains.isEmpty()) {
            return List.of();
        }
        long thread = capture >= 0 ? calls.thread(capture) : nodes.thread(-1 - capture);
        return chains.at(thread, captureStart(capture));
    }

    /** When the API call began that launched an activity or the graph it is part of. */
    long launchStart(int activity) {
        return calls.start(callOf[activity]);
    }

    /** How many activities have no API call and so can belong to no run. */
    int withoutCall() {
        return withoutCall;
    }
}
