package layerwise.trace;

/** CUDA API calls of a trace, runtime and driver, in file order. */
public final class ApiCalls {
    private final long[][] columns;
    private final int size;
    private final PairIndex index;

    /** Columns: start, end, globalTid, correlationId. */
    ApiCalls(long[][] columns, int size) {
        this.columns = columns;
        this.size = size;
        this.index = new PairIndex(size);
        for (int row = 0; row < size; row++) {
            if (columns[3][row] != 0) {
                index.put(Processes.key(columns[2][row]), columns[3][row], row);
            }
        }
    }

    public int size() {
        return size;
    }

    /** Begin of the call, nanoseconds since the session's start. */
    public long start(int call) {
        return columns[0][call];
    }

    /** End of the call, nanoseconds since the session's start. */
    public long end(int call) {
        return columns[1][call];
    }

    /** The calling thread, as the {@code globalTid} column has it. */
    public long thread(int call) {
        return columns[2][call];
    }

    /** The call that launched an activity, -1 if the trace has none: correlation ids are unique within a process. */
    public int find(int process, long correlation) {
        return correlation == 0 ? -1 : index.find(process, correlation);
    }
}
