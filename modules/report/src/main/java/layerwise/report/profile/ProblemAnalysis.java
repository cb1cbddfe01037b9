package layerwise.report.profile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import layerwise.trace.GpuActivities;
import layerwise.trace.TraceException;

/** Evaluates one problem: orders the activities of its runs, checks that the runs agree, and sums them up. */
final class ProblemAnalysis {
    private final Recording recording;
    private final ProblemRanges problem;
    private final Attribution attribution;
    private final GpuActivities activities;
    private final KernelNames names;
    private final ProfileOptions options;
    private final int warmup;
    private final int[][] runs;
    private final Captures captures;

    ProblemAnalysis(
            Recording recording,
            int problemNumber,
            Attribution attribution,
            GpuActivities activities,
            KernelNames names,
            ProfileOptions options,
            int warmup) {
        this.recording = recording;
        this.problem = recording.problems().get(problemNumber);
        this.attribution = attribution;
        this.activities = activities;
        this.names = names;
        this.options = options;
        this.warmup = warmup;
        int[][] all = new int[problem.runs()][];
        for (int run = 0; run < all.length; run++) {
            all[run] = attribution.activities(problemNumber, run);
        }
        int[] captured = Arrays.stream(all)
                .flatMapToInt(Arrays::stream)
                .map(attribution::capture)
                .toArray();
        captures = new Captures(recording, problem, attribution, captured);
        options.module().ifPresent(module -> captures.checkUnambiguous(module, problem));
        boolean[] shown = captures.shown(options.module().orElse(null));
        runs = new int[all.length][];
        for (int run = 0; run < all.length; run++) {
            runs[run] = Arrays.stream(all[run])
                    .filter(activity -> shown[captures.path(attribution.capture(activity))])
                    .toArray();
            IndexSort.sort(runs[run], 0, runs[run].length, this::compareLaunches);
        }
    }

    private int compareLaunches(int a, int b) {
        int launch = Long.compare(attribution.launchStart(a), attribution.launchStart(b));
        if (launch != 0) {
            return launch;
        }
        int capture = Long.compare(order(a), order(b));
        return capture != 0 ? capture : Long.compare(activities.start(a), activities.start(b));
    }

    /** Unexplained graph nodes stand where their launch is. */
    private long order(int activity) {
        int capture = attribution.capture(activity);
        return capture == Attribution.UNKNOWN ? attribution.launchStart(activity) : attribution.captureStart(capture);
    }

    ProblemProfile evaluate() {
        if (warmup >= runs.length) {
            throw new TraceException("\"" + problem.title() + "\" has " + runs.length + " runs, no more than the "
                    + warmup + " warm-up runs to drop; give a smaller --warmup-times");
        }
        int[][] measured = Arrays.copyOfRange(runs, warmup, runs.length);
        Optional<String> difference = firstDifference();
        if (difference.isPresent() && !options.lenient()) {
            throw new TraceException(difference.get() + "; --lenient groups kernels by name instead");
        }
        if (Arrays.stream(measured).anyMatch(run -> run.length == 0)) {
            throw new TraceException("\"" + problem.title() + "\" has a run without any kernel"
                    + options.module().map(m -> " inside \"" + m + "\"").orElse("")
                    + "; graphs that were traced whole show no kernels (record with --cuda-graph-trace=node)");
        }
        List<Operation> operations = difference.isPresent()
                ? new NameGroups(activities, attribution, captures, names).group(measured)
                : new CostShares(recording).apply(sequence(measured), measured[0], captures, attribution);
        RunTotals totals = totals(measured);
        return new ProblemProfile(
                problem.title(),
                Optional.of(problem.spec()),
                runs.length,
                modulesOfFirstRun(),
                operations,
                totals,
                difference.isPresent() ? new Timeline(0, List.of()) : timeline(measured, totals),
                difference.isPresent(),
                window(measured));
    }

    private Window window(int[][] measured) {
        long start = Long.MAX_VALUE;
        long end = Long.MIN_VALUE;
        for (int[] run : measured) {
            for (int activity : run) {
                start = Math.min(start, activities.start(activity));
                end = Math.max(end, activities.end(activity));
            }
        }
        return new Window(start, end);
    }

    private Optional<String> firstDifference() {
        int[] expected = runs[0];
        for (int run = 1; run < runs.length; run++) {
            int[] found = runs[run];
            for (int i = 0; i < Math.max(found.length, expected.length); i++) {
                boolean same = i < found.length
                        && i < expected.length
                        && activities.name(found[i]) == activities.name(expected[i]);
                if (!same) {
                    return Optional.of("\"" + problem.title() + "\": run " + run + " (" + found.length
                            + " kernels) differs from run 0 (" + expected.length + ") at kernel " + i + ": "
                            + describe(found, i) + " instead of " + describe(expected, i));
                }
            }
        }
        return Optional.empty();
    }

    private String describe(int[] run, int at) {
        if (at >= run.length) {
            return "nothing";
        }
        List<String> path = new ArrayList<>(captures.texts(captures.path(attribution.capture(run[at]))));
        path.add(names.shortName(activities.name(run[at])));
        return "\"" + String.join(" > ", path) + "\"";
    }

    private List<Operation> sequence(int[][] measured) {
        List<Operation> operations = new ArrayList<>();
        for (int i = 0; i < measured[0].length; i++) {
            long[] durations = new long[measured.length];
            long ends = 0;
            for (int run = 0; run < measured.length; run++) {
                int activity = measured[run][i];
                durations[run] = activities.end(activity) - activities.start(activity);
                ends += activities.end(activity) - activities.start(measured[run][0]);
            }
            int activity = measured[0][i];
            int capture = attribution.capture(activity);
            List<Integer> instances = Arrays.stream(captures.enclosing(capture))
                    .filter(recording::isInPath)
                    .boxed()
                    .toList();
            operations.add(new Operation(
                    captures.texts(captures.path(capture)),
                    instances,
                    names.fullName(activities.name(activity)),
                    names.shortName(activities.name(activity)),
                    new Samples(durations),
                    (double) ends / measured.length,
                    activities.lane(activity),
                    Optional.empty(),
                    attribution.frames(capture)));
        }
        return operations;
    }

    private RunTotals totals(int[][] measured) {
        long[] overlap = new long[measured.length];
        long[] space = new long[measured.length];
        long[] total = new long[measured.length];
        for (int run = 0; run < measured.length; run++) {
            int[] byStart = measured[run].clone();
            IndexSort.sort(byStart, 0, byStart.length, this::compareStarts);
            long first = activities.start(byStart[0]);
            long latest = first;
            for (int activity : byStart) {
                long start = activities.start(activity);
                long end = activities.end(activity);
                if (start > latest) {
                    space[run] += start - latest;
                } else {
                    overlap[run] -= Math.min(latest, end) - start;
                }
                latest = Math.max(latest, end);
            }
            total[run] = latest - first;
        }
        return new RunTotals(new Samples(overlap), new Samples(space), new Samples(total));
    }

    private int compareStarts(int a, int b) {
        int start = Long.compare(activities.start(a), activities.start(b));
        return start != 0 ? start : Long.compare(activities.end(a), activities.end(b));
    }

    private Timeline timeline(int[][] measured, RunTotals totals) {
        double median = totals.total().median();
        int nearest = IntStream.range(0, measured.length)
                .boxed()
                .min((a, b) -> Double.compare(
                        Math.abs(totals.total().at(a) - median),
                        Math.abs(totals.total().at(b) - median)))
                .orElseThrow();
        int[] run = measured[nearest];
        long first = Arrays.stream(run).mapToLong(activities::start).min().orElseThrow();
        List<Timeline.Span> spans = new ArrayList<>();
        for (int i = 0; i < run.length; i++) {
            spans.add(new Timeline.Span(
                    i, activities.start(run[i]) - first, activities.end(run[i]) - first, activities.lane(run[i])));
        }
        return new Timeline(warmup + nearest, spans);
    }

    private List<String> modulesOfFirstRun() {
        return Arrays.stream(problem.modules())
                .filter(range -> recording.ranges().end(range) <= problem.runEnd(0))
                .filter(range -> recording.isInPath(range) && !recording.isIgnore(range))
                .mapToObj(recording::text)
                .toList();
    }
}
