package layerwise.report.synthetic;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.TreeMap;
import layerwise.report.synthetic.SyntheticProgram.Enter;
import layerwise.report.synthetic.SyntheticProgram.Launch;
import layerwise.report.synthetic.SyntheticProgram.Leave;
import layerwise.report.synthetic.SyntheticProgram.Step;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;

/** Makes traces of layer-wise benchmarks as nsys would export them, and says what a report must find in them. */
public final class SyntheticTrace {
    private final SyntheticOptions options;
    private final SyntheticFile file;
    private final Random random;
    private final long[] gpuFree = new long[2];
    private final List<Truth.Problem> problems = new ArrayList<>();
    private long now = 1_000_000;
    private int correlation;
    private int graphs;

    private SyntheticTrace(SyntheticOptions options) {
        this.options = options;
        this.file = new SyntheticFile(SyntheticSchema.of(options.schema));
        this.random = new Random(options.seed * 31);
    }

    /** Writes a trace and returns its truth. */
    public static Truth write(SyntheticOptions options, Path target) throws SQLException {
        SyntheticTrace trace = new SyntheticTrace(options);
        trace.record();
        trace.file.write(target, options.shuffle ? new Random(options.seed) : null);
        return new Truth(trace.problems, options.warmup);
    }

    private record Placed(Launch launch, List<String> path, long node) {}

    private void record() {
        if (options.nccl) {
            file.add(
                    "NVTX_EVENTS",
                    Map.of(
                            "start",
                            now,
                            "eventType",
                            75,
                            "text",
                            "NCCL",
                            "domainId",
                            1,
                            "globalTid",
                            SyntheticFile.THREAD));
        }
        noise();
        range(now, now + 10, Markers.args(Map.of("model", "synthetic", "warmup_times", options.warmup)), false);
        now += 1000;
        for (int p = 0; p < options.problems; p++) {
            ProblemSpec spec = new ProblemSpec(1 << (p % 4), 1 + p / 4, 8193, OptionalDouble.empty());
            range(now, now + 10, Markers.problem(spec), false);
            now += 1000;
            problem(Markers.run(spec, 4), SyntheticProgram.of(options, p), p);
            now = Math.max(now, Math.max(gpuFree[0], gpuFree[1])) + 10_000;
            noise();
        }
    }

    private void problem(String title, List<Step> program, int number) {
        boolean graph = options.mode == SyntheticOptions.Mode.GRAPH
                || (options.mode == SyntheticOptions.Mode.MIXED && number % 2 == 0);
        List<Placed> launches = new ArrayList<>();
        if (graph) {
            capture(program, launches);
        }
        List<long[][]> runs = new ArrayList<>();
        for (int run = 0; run < options.warmup + options.runs; run++) {
            long start = now;
            List<Placed> executed = graph ? launches : new ArrayList<>();
            int[] correlations = graph ? replay(launches.size()) : walk(program, executed, false);
            range(start, now + 100, title, false);
            now += 200;
            runs.add(execute(executed, correlations));
            launches = executed;
        }
        problems.add(truth(title, launches, runs));
    }

    private int[] replay(int count) {
        now += 300;
        int call = call("cudaGraphLaunch_v10000");
        int[] correlations = new int[count];
        java.util.Arrays.fill(correlations, call);
        return correlations;
    }

    /** Goes through a program on the CPU: opens ranges, makes API calls, and returns each launch's correlation id. */
    private int[] walk(List<Step> program, List<Placed> launches, boolean capturing) {
        record Open(String text, boolean nccl, long start) {}
        Deque<Open> open = new ArrayDeque<>();
        List<Integer> correlations = new ArrayList<>();
        for (Step step : program) {
            now += 50;
            switch (step) {
                case Enter enter -> open.addLast(new Open(enter.text(), enter.nccl(), now));
                case Leave leave -> {
                    Open closed = open.removeLast();
                    range(closed.start(), now, closed.text(), closed.nccl());
                }
                case Launch launch -> {
                    long start = now;
                    correlations.add(call("cudaLaunchKernel_v7000"));
                    long node = capturing ? ((long) graphs << 32) | launches.size() : 0;
                    if (capturing) {
                        node(start + (now - start) / 2, node, 0);
                    }
                    launches.add(new Placed(
                            launch,
                            open.stream()
                                    .filter(o -> !o.nccl() && !o.text().startsWith("[DG]"))
                                    .map(Open::text)
                                    .toList(),
                            node));
                }
            }
        }
        return correlations.stream().mapToInt(Integer::intValue).toArray();
    }

    private void capture(List<Step> program, List<Placed> launches) {
        graphs++;
        walk(program, launches, true);
        for (int hop = 0; hop < options.hops; hop++) {
            graphs++;
            for (int i = 0; i < launches.size(); i++) {
                long clone = ((long) graphs << 32) | i;
                now += 20;
                node(now, clone, 0);
                node(now + 5, clone, launches.get(i).node());
                if (options.duplicateClones) {
                    node(now + 6, clone, launches.get(i).node());
                }
                launches.set(
                        i, new Placed(launches.get(i).launch(), launches.get(i).path(), clone));
            }
            node(now, ((long) graphs << 32) | launches.size(), 0); // the driver's own, never launched
        }
        now += 1000;
    }

    private long[][] execute(List<Placed> launches, int[] correlations) {
        long[][] times = new long[launches.size()][];
        long after = Math.max(now, Math.max(gpuFree[0], gpuFree[1])) + 400;
        gpuFree[0] = after;
        gpuFree[1] = after;
        for (int i = 0; i < times.length; i++) {
            Placed placed = launches.get(i);
            int stream = placed.launch().side() ? 1 : 0;
            long start = stream == 1 ? Math.max(gpuFree[1], gpuFree[0] - 700) : gpuFree[0] + random.nextInt(300);
            long end = start + 500 + random.nextInt(3000) + i % 5 * 900L;
            gpuFree[stream] = end;
            times[i] = new long[] {start, end};
            if (!options.wholeGraphs || placed.node() == 0) {
                activity(placed.launch(), start, end, stream, correlations[i], placed.node());
            }
        }
        if (options.wholeGraphs && launches.getFirst().node() != 0) {
            file.add(
                    "CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
                    Map.of("start", times[0][0], "end", gpuFree[0], "correlationId", correlations[0]));
        }
        now = Math.max(now, Math.min(gpuFree[0], gpuFree[1]) - 4000); // the CPU runs ahead of the GPU
        return times;
    }

    private Truth.Problem truth(String title, List<Placed> launches, List<long[][]> runs) {
        List<long[][]> measured = runs.subList(options.warmup, runs.size());
        List<Integer> shown = new ArrayList<>();
        for (int i = 0; i < launches.size(); i++) {
            if (!launches.get(i).path().contains(Markers.ignore())) {
                shown.add(i);
            }
        }
        List<Truth.Row> rows = new ArrayList<>();
        double busy = 0;
        for (int i : shown) {
            double nanos = 0;
            double end = 0;
            for (long[][] run : measured) {
                nanos += run[i][1] - run[i][0];
                end += run[i][1] - run[shown.getFirst()][0];
            }
            busy += nanos / measured.size();
            rows.add(new Truth.Row(
                    launches.get(i).path(),
                    launches.get(i).launch().fullName(),
                    launches.get(i).launch().shortName(),
                    nanos / measured.size(),
                    end / measured.size()));
        }
        double covered = 0;
        double span = 0;
        for (long[][] run : measured) {
            TreeMap<Long, Integer> changes = new TreeMap<>();
            shown.forEach(i -> {
                changes.merge(run[i][0], 1, Integer::sum);
                changes.merge(run[i][1], -1, Integer::sum);
            });
            span += changes.lastKey() - changes.firstKey();
            int active = 0;
            long last = 0;
            for (Map.Entry<Long, Integer> change : changes.entrySet()) {
                covered += active > 0 ? change.getKey() - last : 0;
                active += change.getValue();
                last = change.getKey();
            }
        }
        double mean = measured.size();
        return new Truth.Problem(
                title, runs.size(), rows, covered / mean - busy, (span - covered) / mean, span / mean, busy);
    }

    private int call(String name) {
        correlation++;
        file.add(
                "CUPTI_ACTIVITY_KIND_RUNTIME",
                Map.of(
                        "start",
                        now,
                        "end",
                        now + 40,
                        "globalTid",
                        SyntheticFile.THREAD,
                        "correlationId",
                        correlation,
                        "nameId",
                        file.string(name)));
        now += 40;
        return correlation;
    }

    private void node(long instant, long node, long original) {
        Map<String, Object> row = new HashMap<>(Map.of(
                "start", instant,
                "end", instant,
                "eventClass", 77,
                "globalTid", SyntheticFile.THREAD,
                "graphNodeId", node));
        if (original != 0) {
            row.put("originalGraphNodeId", original);
        }
        file.add(file.schema().nodeTable(), row);
    }

    private void range(long start, long end, String text, boolean nccl) {
        Map<String, Object> row = new HashMap<>(Map.of(
                "start",
                start,
                "end",
                end,
                "eventType",
                59,
                "globalTid",
                SyntheticFile.THREAD,
                "domainId",
                nccl ? 1 : 0));
        if (options.inlineText && !nccl) {
            row.put("text", text);
        } else {
            row.put("textId", file.string(text));
        }
        file.add("NVTX_EVENTS", row);
    }

    private void activity(Launch launch, long start, long end, int stream, int correlationId, long node) {
        Map<String, Object> row = new HashMap<>(Map.of(
                "start",
                start,
                "end",
                end,
                "contextId",
                1,
                "streamId",
                stream == 0 ? 7 : 21,
                "correlationId",
                correlationId,
                "globalPid",
                SyntheticFile.PROCESS));
        if (node != 0) {
            row.put("graphNodeId", node);
        }
        String table = switch (launch.fullName()) {
            case "Memcpy" -> "CUPTI_ACTIVITY_KIND_MEMCPY";
            case "Memset" -> "CUPTI_ACTIVITY_KIND_MEMSET";
            default -> "CUPTI_ACTIVITY_KIND_KERNEL";
        };
        if (table.endsWith("KERNEL")) {
            row.put("demangledName", file.string(launch.fullName()));
            row.put("shortName", file.string("short"));
        }
        file.add(table, row);
    }

    /** An eager kernel outside every run. */
    private void noise() {
        if (options.noise) {
            int call = call("cudaLaunchKernel_v7000");
            activity(new Launch("noise", "noise", false), now + 100, now + 300, 0, call, 0);
            now += 1000;
        }
    }
}
