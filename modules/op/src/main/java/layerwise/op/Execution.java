package layerwise.op;

/** A prepared program and the memory of its intermediate buffers. */
public interface Execution extends AutoCloseable {
    /** Enqueues every launch, one after the other, all on the main lane. */
    void run();

    /** The launches as one unit with both lanes: a captured graph where the device has them. Runs nothing yet. */
    Replay capture();

    /** Holds the intermediate buffers, outputs included, nested in the memory that the program was prepared with. */
    Memory memory();

    @Override
    void close();
}
