package layerwise.trace;

/** Process identities in exported columns. */
final class Processes {
    private static final int THREAD_BITS = 24;

    private Processes() {}

    /** A process from a {@code globalPid} or {@code globalTid}: VM and process id, without the thread. */
    static int key(long global) {
        return (int) (global >>> THREAD_BITS);
    }
}
