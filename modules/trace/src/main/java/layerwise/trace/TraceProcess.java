package layerwise.trace;

import java.util.List;

/**
 * The process that a recorder records.
 *
 * @param processId operating-system process id
 * @param name      path or name of the program
 * @param arguments its arguments, as they were given
 * @param product   what records, with its version, for example {@code layerwise 0.1.0}
 */
public record TraceProcess(long processId, String name, List<String> arguments, String product) {
    private static final long VM = 1L << 48;
    private static final long ID_BITS = 0xFF_FFFFL;

    public TraceProcess {
        arguments = List.copyOf(arguments);
    }

    /** This process. */
    public static TraceProcess current(String name, List<String> arguments, String product) {
        return new TraceProcess(ProcessHandle.current().pid(), name, arguments, product);
    }

    /** The process as the {@code globalPid} columns write it: VM, process, no thread. */
    long globalPid() {
        return VM | ((processId & ID_BITS) << 24);
    }

    /** A thread as the {@code globalTid} columns write it. */
    long globalTid(int threadId) {
        return globalPid() | (threadId & ID_BITS);
    }
}
