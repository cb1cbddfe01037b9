package layerwise.report.profile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import layerwise.trace.ApiCalls;
import layerwise.trace.GpuActivities;
import layerwise.trace.Marker;
import layerwise.trace.Markers;
import layerwise.trace.NvtxRanges;
import layerwise.trace.TraceException;
import layerwise.trace.TraceFile;

/** A trace of a serving engine: its iterations, the layers marked in them, and the kernels each iteration launched. */
public final class ServingTrace {
    private static final Pattern STEP =
            Pattern.compile("\\[Executor\\] _forward_step (\\d+): (\\d+) ctx reqs, (\\d+) gen reqs.*", Pattern.DOTALL);

    /**
     * One step of the engine.
     *
     * @param id              number that the engine gave it
     * @param contextRequests requests in prefill
     * @param generation      requests in decode
     */
    public record Iteration(long id, int contextRequests, int generation, long start, long end) {}

    /** A marked layer inside an iteration. */
    public record Layer(int index, long start, long end) {}

    /** One launched kernel, copy or memory set. */
    public record Kernel(int name, String fullName, long launch, long node, long start, long end) {}

    private final TraceFile trace;
    private final NvtxRanges ranges;
    private final ApiCalls calls;
    private final GpuActivities activities;
    private final KernelNames names;
    private final List<Iteration> iterations = new ArrayList<>();

    public ServingTrace(TraceFile trace) {
        this.trace = trace;
        this.ranges = trace.ranges();
        this.calls = trace.calls();
        this.activities = trace.activities();
        this.names = new KernelNames(trace.strings(), new ShortNames());
        for (int i = 0; i < ranges.size(); i++) {
            Matcher step = STEP.matcher(ranges.texts().get(ranges.textNumber(i)));
            if (step.matches()) {
                iterations.add(new Iteration(
                        Long.parseLong(step.group(1)),
                        Integer.parseInt(step.group(2)),
                        Integer.parseInt(step.group(3)),
                        ranges.start(i),
                        ranges.end(i)));
            }
        }
        if (iterations.isEmpty()) {
            throw new TraceException(trace.path() + ": has no iterations (no range '[Executor] _forward_step …')");
        }
    }

    /** All iterations by start. */
    public List<Iteration> iterations() {
        return List.copyOf(iterations);
    }

    /** The iterations of a choice by start, without the first {@code warmup} of them. */
    public List<Iteration> matching(IterationChoice choice, int warmup) {
        List<Iteration> found =
                iterations.stream().filter(choice::takes).skip(warmup).toList();
        if (found.isEmpty()) {
            throw new TraceException("%s: no iteration %s is left after %d warm-up iterations; it has %d to %d"
                    .formatted(
                            trace.path(),
                            choice,
                            warmup,
                            iterations.getFirst().id(),
                            iterations.getLast().id()));
        }
        return found;
    }

    /** The layers marked inside an iteration, by start. */
    public List<Layer> layers(Iteration iteration) {
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < ranges.size(); i++) {
            boolean inside = ranges.start(i) >= iteration.start() && ranges.end(i) <= iteration.end();
            if (inside && Markers.parse(ranges.texts().get(ranges.textNumber(i))) instanceof Marker.Layer layer) {
                layers.add(new Layer(layer.index(), ranges.start(i), ranges.end(i)));
            }
        }
        return layers;
    }

    /**
     * The kernels of each iteration, by launch and, within one graph launch, by node.
     *
     * @throws TraceException if iterations launch different sequences
     */
    public List<List<Kernel>> kernels(List<Iteration> wanted) {
        long[] starts = wanted.stream().mapToLong(Iteration::start).toArray();
        List<List<Kernel>> kernels = new ArrayList<>();
        wanted.forEach(iteration -> kernels.add(new ArrayList<>()));
        for (int i = 0; i < activities.size(); i++) {
            int call = calls.find(activities.process(i), activities.correlation(i));
            if (call < 0) {
                continue;
            }
            int found = Arrays.binarySearch(starts, calls.start(call));
            int at = found >= 0 ? found : -found - 2;
            if (at >= 0 && calls.start(call) < wanted.get(at).end()) {
                kernels.get(at)
                        .add(new Kernel(
                                activities.name(i),
                                names.fullName(activities.name(i)),
                                calls.start(call),
                                activities.node(i),
                                activities.start(i),
                                activities.end(i)));
            }
        }
        kernels.forEach(list -> list.sort((a, b) ->
                a.launch() != b.launch() ? Long.compare(a.launch(), b.launch()) : Long.compare(a.node(), b.node())));
        checkEqual(wanted, kernels);
        return kernels;
    }

    private void checkEqual(List<Iteration> wanted, List<List<Kernel>> kernels) {
        List<Integer> expected = kernels.getFirst().stream().map(Kernel::name).toList();
        IntStream.range(0, kernels.size()).forEach(i -> {
            if (!kernels.get(i).stream().map(Kernel::name).toList().equals(expected)) {
                throw new TraceException(
                        trace.path() + ": iteration " + wanted.get(i).id() + " launches "
                                + kernels.get(i).size() + " kernels, in another sequence than the " + expected.size()
                                + " of iteration " + wanted.getFirst().id());
            }
        });
        if (expected.isEmpty()) {
            throw new TraceException(trace.path() + ": its iterations launched no kernel that the trace shows");
        }
    }
}
