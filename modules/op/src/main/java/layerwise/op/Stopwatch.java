package layerwise.op;

/** Points in time on an executor's own clock. */
public interface Stopwatch extends AutoCloseable {
    /** Enqueues the taking of one mark. */
    void mark(int index);

    /** Microseconds between two marks; only after {@link Executor#synchronize}. */
    double micros(int from, int to);

    @Override
    void close();
}
