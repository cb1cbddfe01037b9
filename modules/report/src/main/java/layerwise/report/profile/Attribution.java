package layerwise.report.profile;

import java.util.Arrays;
import java.util.List;
import layerwise.trace.ApiCalls;
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

    private final ApiCalls calls;
    private final GraphNodes nodes;
    private final int[] callOf;
    private final int[] captures;
    private final int[] byRun;
    private final int[] runOffsets;
    private final int[] firstRun;
    private int withoutCall;

    Attribution(GpuActivities activities, ApiCalls calls, GraphNodes nodes, List<ProblemRanges> problems) {
        this.calls = calls;
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
        for (int i = 0; i < size; i++) {
            int call = calls.find(activities.process(i), activities.correlation(i));
            withoutCall += call < 0 ? 1 : 0;
            callOf[i] = call;
            int problem = call < 0 ? -1 : lastNotAfter(starts, activities.start(i));
            int run = problem < 0 ? -1 : problems.get(problem).runAt(calls.start(call));
            runs[i] = run < 0 ? -1 : firstRun[problem] + run;
            if (run >= 0) {
                runOffsets[runs[i] + 1]++;
                captures[i] = capture(activities, i, call);
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

    /** When the API call began that launched an activity or the graph it is part of. */
    long launchStart(int activity) {
        return calls.start(callOf[activity]);
    }

    /** How many activities have no API call and so can belong to no run. */
    int withoutCall() {
        return withoutCall;
    }
}
