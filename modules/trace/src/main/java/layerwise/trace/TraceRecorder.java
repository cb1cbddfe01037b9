package layerwise.trace;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;

/**
 * Records one process on one clock and writes the recording as one SQLite file.
 *
 * <p>Times are nanoseconds since the session's start, which is the first reading of the clock and stands in the file as
 * UTC. Ranges may be pushed and popped by any thread; each thread has its own log, so that costs no lock. All other
 * methods are for one thread at a time: a tracer decodes its buffers on one thread, an executor that keeps its own
 * clock runs on one. Adding an event allocates nothing but the growth of primitive columns.
 */
public final class TraceRecorder {
    private static final int GRAPH_NODE_CREATION = 77;
    private static final String OWN_LAUNCH = "launch";

    private final TraceProcess process;
    private final LongSupplier epochNanos;
    private final long origin;
    private final Queue<RangeLog> logs = new ConcurrentLinkedQueue<>();
    private final ThreadLocal<RangeLog> log = ThreadLocal.withInitial(this::openLog);
    private final Map<String, Integer> strings = new LinkedHashMap<>();
    private final ActivityRows activities;
    private final Rows calls = new Rows(TraceTable.RUNTIME);
    private final Rows graphNodes = new Rows(TraceTable.GRAPH_NODES);
    private final Rows callChains = new Rows(TraceTable.CALL_CHAINS);
    private final Rows metrics = new Rows(TraceTable.GPU_METRICS);
    private final SessionFacts facts = new SessionFacts();
    private final KernelActivity own = new KernelActivity();
    private final Map<List<StackTraceElement>, Integer> chains = new HashMap<>();
    private long lastCorrelation;

    private TraceRecorder(TraceProcess process, LongSupplier epochNanos) {
        this.process = process;
        this.epochNanos = epochNanos;
        this.origin = epochNanos.getAsLong();
        this.activities = new ActivityRows(process.globalPid());
        string(""); // id 0 is some string in every export and never means "none"
    }

    /** Starts a session on this machine's monotonic clock, aligned with UTC once. */
    public static TraceRecorder start(TraceProcess process) {
        Instant utc = Instant.now();
        long offset = utc.getEpochSecond() * 1_000_000_000L + utc.getNano() - System.nanoTime();
        return new TraceRecorder(process, () -> System.nanoTime() + offset);
    }

    /**
     * Starts a session on a clock of the caller's: a tracer's time stamps, or simulated time.
     *
     * @param epochNanos nanoseconds since 1970, never going backwards; called at every push and pop
     */
    public static TraceRecorder start(TraceProcess process, LongSupplier epochNanos) {
        return new TraceRecorder(process, epochNanos);
    }

    /** Nanoseconds since the session's start. */
    public long now() {
        return epochNanos.getAsLong() - origin;
    }

    /** Converts a reading of the session's clock to nanoseconds since the session's start. */
    public long sinceStart(long epochNanos) {
        return epochNanos - origin;
    }

    /** Tells which operating-system thread the calling thread is; until then its ranges carry the Java thread id. */
    public void nameThread(int threadId) {
        log.get().threadId(threadId);
    }

    /** Opens a range on the calling thread; the text is a module name or one of {@link Markers}. */
    public void pushRange(String text) {
        log.get().push(text, now());
    }

    /**
     * Closes the calling thread's innermost range.
     *
     * @throws IllegalStateException if none is open
     */
    public void popRange() {
        log.get().pop(now());
    }

    /** Records a marker that states a fact and encloses nothing. */
    public void mark(String text) {
        RangeLog ranges = log.get();
        long time = now();
        ranges.push(text, time);
        ranges.pop(time);
    }

    /** The id of a string in the file's table of strings; the same string gives the same id. */
    public int string(String value) {
        Integer known = strings.get(value);
        if (known == null) {
            known = strings.size();
            strings.put(value, known);
        }
        return known;
    }

    /** A correlation id that this recorder has not given yet; for recorders that have none of a tracer's. */
    public long nextCorrelation() {
        return ++lastCorrelation;
    }

    /**
     * Adds a CUDA API call.
     *
     * @param driver      whether it is of the driver API rather than the runtime's
     * @param name        string id of its versioned name, for example {@code cudaLaunchKernel_v7000}
     * @param callChainId from {@link #callChain}, 0 for none
     */
    public void call(
            boolean driver,
            int name,
            int threadId,
            long correlationId,
            long start,
            long end,
            int returnValue,
            int callChainId) {
        calls.add();
        int c = 0;
        calls.put(c++, start);
        calls.put(c++, end);
        calls.put(c++, driver ? 1 : 0);
        calls.put(c++, process.globalTid(threadId));
        calls.put(c++, correlationId);
        calls.put(c++, name);
        calls.put(c++, returnValue);
        calls.put(c, callChainId == 0 ? Rows.NULL : callChainId);
    }

    /**
     * Adds a successful call of the calling thread, for executors that keep their own clock.
     *
     * @param callChainId from {@link #callChain}, 0 for none
     */
    public void call(String name, long correlationId, long start, long end, int callChainId) {
        call(false, string(name), log.get().threadId(), correlationId, start, end, 0, callChainId);
    }

    /** Adds an executed kernel; the row may be reused at once. */
    public void kernel(KernelActivity kernel) {
        activities.add(kernel);
    }

    /** Adds an eager launch and its kernel, for executors that keep their own clock. */
    public void kernel(String name, int streamId, long launchStart, long launchEnd, long deviceStart, long deviceEnd) {
        kernel(name, streamId, launchStart, launchEnd, deviceStart, deviceEnd, 0);
    }

    /**
     * Adds an eager launch and its kernel, for executors that keep their own clock.
     *
     * @param callChainId of the launch, from {@link #callChain}, 0 for none
     */
    public void kernel(
            String name,
            int streamId,
            long launchStart,
            long launchEnd,
            long deviceStart,
            long deviceEnd,
            int callChainId) {
        long correlationId = nextCorrelation();
        call(OWN_LAUNCH, correlationId, launchStart, launchEnd, callChainId);
        kernel(correlationId, 0, name, streamId, deviceStart, deviceEnd);
    }

    /**
     * Adds a kernel of a launch that {@link #call(String, long, long, long, int)} records, for executors that keep their own
     * clock.
     *
     * @param graphNodeId executed node as {@link #captureNode} returned it; 0 for an eager launch
     */
    public void kernel(
            long correlationId, long graphNodeId, String name, int streamId, long deviceStart, long deviceEnd) {
        int nameId = string(name);
        own.start = deviceStart;
        own.end = deviceEnd;
        own.streamId = streamId;
        own.correlationId = correlationId;
        own.demangledName = nameId;
        own.shortName = nameId;
        own.mangledName = nameId;
        own.graphNodeId = graphNodeId;
        own.graphId = (int) (graphNodeId >>> 32);
        activities.add(own);
    }

    /**
     * Records now as the capture of one graph node by an executor that keeps its own clock, inside the captured launch,
     * and the node's instance in the executable graph.
     *
     * @param graph number of the captured graph, from 1
     * @param index number of the node in it, from 0
     * @param callChainId of the captured launch, from {@link #callChain}, 0 for none
     * @return the executed node's id, which its kernels carry
     */
    public long captureNode(int graph, int index, int callChainId) {
        // Captured and executable graphs are numbered 2g-1 and 2g: ids are graph << 32 | index, as drivers make them.
        long captured = ((2L * graph - 1) << 32) | index;
        long executed = ((2L * graph) << 32) | index;
        int thread = log.get().threadId();
        long time = now();
        call(OWN_LAUNCH, nextCorrelation(), time, time, callChainId);
        graphNode(thread, time, captured, 0);
        graphNode(thread, time, executed, 0);
        graphNode(thread, time, executed, captured);
        return executed;
    }

    /** Adds an executed copy; the row may be reused at once. */
    public void copy(CopyActivity copy) {
        activities.add(copy);
    }

    /** Adds an executed memory set; the row may be reused at once. */
    public void fill(FillActivity fill) {
        activities.add(fill);
    }

    /**
     * Adds the creation of a graph node.
     *
     * @param original the node it was cloned from, 0 for none; a clone has two rows, first without, then with it
     */
    public void graphNode(int threadId, long instant, long nodeId, long original) {
        graphNodes.add();
        int c = 0;
        graphNodes.put(c++, instant);
        graphNodes.put(c++, instant);
        graphNodes.put(c++, GRAPH_NODE_CREATION);
        graphNodes.put(c++, process.globalTid(threadId));
        graphNodes.put(c++, string("Graph Node Creation"));
        graphNodes.put(c++, nodeId);
        graphNodes.put(c, original == 0 ? Rows.NULL : original);
    }

    /**
     * Adds a call chain, innermost frame first; an equal one that is there already is not added again.
     *
     * @return its id, for {@link #call}; 0 for no frames
     */
    public int callChain(List<StackTraceElement> frames) {
        if (frames.isEmpty()) {
            return 0;
        }
        Integer known = chains.get(frames);
        if (known != null) {
            return known;
        }
        int id = chains.size() + 1;
        chains.put(List.copyOf(frames), id);
        for (int depth = 0; depth < frames.size(); depth++) {
            StackTraceElement frame = frames.get(depth);
            String module = frame.getModuleName();
            callChains.add();
            int c = 0;
            callChains.put(c++, id);
            callChains.put(c++, string(symbol(frame)));
            callChains.put(c++, string(module == null ? "" : module));
            callChains.put(c++, 0);
            c++; // originalIP
            callChains.put(c, depth);
        }
        return id;
    }

    private static String symbol(StackTraceElement frame) {
        String line = frame.getLineNumber() > 0 ? ":" + frame.getLineNumber() : "";
        String place = frame.getFileName() == null ? "" : " (" + frame.getFileName() + line + ")";
        return frame.getClassName() + "." + frame.getMethodName() + place;
    }

    /** Adds one sample of a GPU metric that {@link #gpuMetricName} named. */
    public void gpuMetric(long time, int gpu, int metricId, long value) {
        metrics.add();
        int c = 0;
        metrics.put(c++, time);
        metrics.put(c++, gpu);
        metrics.put(c++, metricId);
        metrics.put(c, value);
    }

    /** Names a GPU metric, with its unit in brackets. */
    public void gpuMetricName(int gpu, int metricId, String name) {
        facts.gpuMetric(gpu, metricId, name);
    }

    /** Notes metrics that could not be sampled and why, in one sentence. */
    public void gpuMetricsAbsent(String reason) {
        facts.capture(TraceFile.ABSENT_METRICS, reason);
    }

    /** Adds a GPU that the process uses. */
    public void gpu(GpuInfo gpu) {
        facts.gpu(gpu, process);
    }

    /**
     * Adds a stream.
     *
     * @param flag 1 default, 2 non-blocking, 3 the null stream
     */
    public void stream(int streamId, int contextId, int priority, int flag) {
        facts.stream(streamId, contextId, priority, flag, process);
    }

    /** Adds a fact about the recording, for example {@code CUDA_GRAPH_TRACE_OPTIONS:MODE} = {@code Node}. */
    public void captureFact(String name, String value) {
        facts.capture(name, value);
    }

    /**
     * Writes the recording; an existing file is replaced in one step, so a reader sees the old one or the new one.
     *
     * @throws TraceException if the file cannot be written
     */
    public void write(Path file) {
        Rows ranges = new RangeRows(process).merge(logs, this::string);
        facts.session(process, origin, now());
        List<Rows> tables = new ArrayList<>(List.of(
                ranges,
                calls,
                activities.kernels(),
                activities.copies(),
                activities.fills(),
                graphNodes,
                callChains,
                metrics));
        new TraceWriter(file).write(tables, facts.tables(), List.copyOf(strings.keySet()));
    }

    private RangeLog openLog() {
        RangeLog opened = new RangeLog((int) (Thread.currentThread().threadId() & 0xFF_FFFF));
        logs.add(opened);
        return opened;
    }
}
