package layerwise.op;

/** A captured program. */
public interface Replay extends AutoCloseable {
    /** Enqueues it whole. */
    void launch();

    @Override
    void close();
}
