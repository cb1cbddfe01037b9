package layerwise.trace;

/**
 * Kernels, copies and memory sets of a trace, table after table.
 *
 * <p>Accessors take the number of the activity; nothing is boxed, because a trace may hold millions.
 */
public final class GpuActivities {
    /** Name id of a copy, which has none in the trace. */
    public static final int MEMCPY = -2;

    /** Name id of a memory set, which has none in the trace. */
    public static final int MEMSET = -3;

    private final long[] starts;
    private final long[] ends;
    private final int[] names;
    private final int[] processes;
    private final int[] correlations;
    private final long[] nodes;
    private final int[] streams;
    private int size;

    GpuActivities(int capacity) {
        starts = new long[capacity];
        ends = new long[capacity];
        names = new int[capacity];
        processes = new int[capacity];
        correlations = new int[capacity];
        nodes = new long[capacity];
        streams = new int[capacity];
    }

    /** Number of activities. */
    public int size() {
        return size;
    }

    /** Begin on the GPU, nanoseconds since the session's start. */
    public long start(int activity) {
        return starts[activity];
    }

    /** End on the GPU, nanoseconds since the session's start. */
    public long end(int activity) {
        return ends[activity];
    }

    /** String id of the kernel's full name, {@link #MEMCPY} or {@link #MEMSET}. */
    public int name(int activity) {
        return names[activity];
    }

    /** Key of the process, for {@link ApiCalls#find} and {@link GraphNodes#captured}. */
    public int process(int activity) {
        return processes[activity];
    }

    /** Correlation id of the API call that launched it; 0 for none. */
    public long correlation(int activity) {
        return Integer.toUnsignedLong(correlations[activity]);
    }

    /** Executed graph node; 0 for an eager launch. */
    public long node(int activity) {
        return nodes[activity];
    }

    /** Lane: the device's CUDA ordinal and stream, {@code device << 24 | stream}. */
    public int lane(int activity) {
        return streams[activity];
    }

    void set(int at, long start, long end, int name, long globalPid, long correlation, long node, int lane) {
        starts[at] = start;
        ends[at] = end;
        names[at] = name;
        processes[at] = Processes.key(globalPid);
        correlations[at] = (int) correlation;
        nodes[at] = node;
        streams[at] = lane;
    }

    void size(int value) {
        size = value;
    }

    /** Moves a block of rows down, after scans of one table's parts ended short of their room. */
    void move(int from, int to, int count) {
        System.arraycopy(starts, from, starts, to, count);
        System.arraycopy(ends, from, ends, to, count);
        System.arraycopy(names, from, names, to, count);
        System.arraycopy(processes, from, processes, to, count);
        System.arraycopy(correlations, from, correlations, to, count);
        System.arraycopy(nodes, from, nodes, to, count);
        System.arraycopy(streams, from, streams, to, count);
    }
}
