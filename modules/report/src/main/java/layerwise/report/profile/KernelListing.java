package layerwise.report.profile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import layerwise.trace.ApiCalls;
import layerwise.trace.GpuActivities;
import layerwise.trace.GraphNodes;
import layerwise.trace.NvtxRanges;
import layerwise.trace.TraceFile;

/**
 * All GPU activities of any trace with the ranges of the launching thread around each: for traces without markers.
 *
 * <p>An activity whose API call is not in the trace has no path. A trace without kernels gives an empty listing.
 */
public final class KernelListing {
    /**
     * One activity.
     *
     * @param path      texts of the ranges around its launch, outer before inner
     * @param fullName  demangled name
     * @param shortName name in reports
     * @param start     nanoseconds since the session's start
     * @param end       nanoseconds since the session's start
     * @param lane      device and stream
     */
    public record Entry(List<String> path, String fullName, String shortName, long start, long end, int lane) {}

    private record Launch(int activity, long start, long end) {}

    private final TraceFile trace;
    private final ShortNames shortNames;

    public KernelListing(TraceFile trace, ShortNames shortNames) {
        this.trace = trace;
        this.shortNames = shortNames;
    }

    /** Every kernel, copy and memory set, by start. */
    public List<Entry> read() {
        if (!trace.hasTable("CUPTI_ACTIVITY_KIND_KERNEL")) {
            return List.of();
        }
        GpuActivities activities = trace.activities();
        KernelNames names = new KernelNames(trace.strings(), shortNames);
        List<List<String>> paths = paths(activities);
        List<Entry> entries = new ArrayList<>(activities.size());
        for (int i = 0; i < activities.size(); i++) {
            int name = activities.name(i);
            entries.add(new Entry(
                    paths.get(i),
                    names.fullName(name),
                    names.shortName(name),
                    activities.start(i),
                    activities.end(i),
                    activities.lane(i)));
        }
        entries.sort((a, b) -> Long.compare(a.start(), b.start()));
        return entries;
    }

    private List<List<String>> paths(GpuActivities activities) {
        List<List<String>> paths = new ArrayList<>(Collections.nCopies(activities.size(), List.of()));
        if (!trace.hasTable("NVTX_EVENTS") || !trace.hasTable("CUPTI_ACTIVITY_KIND_RUNTIME")) {
            return paths;
        }
        NvtxRanges ranges = trace.ranges();
        launchesByThread(activities).forEach((thread, launches) -> {
            launches.sort((a, b) -> Long.compare(a.start(), b.start()));
            int[] ofThread = IntStream.range(0, ranges.size())
                    .filter(range -> ranges.thread(range) == thread)
                    .toArray();
            EnclosingRanges search = new EnclosingRanges(ranges, ofThread);
            for (Launch launch : launches) {
                int[] around = search.containing(launch.start(), launch.end());
                paths.set(
                        launch.activity(),
                        Arrays.stream(around)
                                .mapToObj(range -> ranges.texts().get(ranges.textNumber(range)))
                                .toList());
            }
        });
        return paths;
    }

    private Map<Long, List<Launch>> launchesByThread(GpuActivities activities) {
        ApiCalls calls = trace.calls();
        GraphNodes nodes = trace.graphNodes();
        Map<Long, List<Launch>> byThread = new HashMap<>();
        for (int i = 0; i < activities.size(); i++) {
            int call = calls.find(activities.process(i), activities.correlation(i));
            int capture = activities.node(i) == 0 ? -1 : nodes.captured(activities.process(i), activities.node(i));
            if (capture >= 0) {
                add(byThread, nodes.thread(capture), new Launch(i, nodes.start(capture), nodes.end(capture)));
            } else if (call >= 0) {
                add(byThread, calls.thread(call), new Launch(i, calls.start(call), calls.end(call)));
            }
        }
        return byThread;
    }

    private static void add(Map<Long, List<Launch>> byThread, long thread, Launch launch) {
        byThread.computeIfAbsent(thread, added -> new ArrayList<>()).add(launch);
    }
}
