package layerwise.op;

import java.util.List;

/** A prepared program and the memory of its intermediate buffers. */
public interface Execution extends AutoCloseable {
    /** Enqueues every launch, one after the other, all on the main lane. */
    void run();

    /** The launches as one unit with both lanes: a captured graph where the device has them. Runs nothing yet. */
    Replay capture();

    /** How each weight is used; nothing where an executor has one way for all. */
    default List<WeightPath> weightPaths() {
        return List.of();
    }

    /** Names of the kernels that a run launches, as they were prepared; nothing where an executor has none. */
    default List<String> kernels() {
        return List.of();
    }

    /** Holds the intermediate buffers, outputs included, nested in the memory that the program was prepared with. */
    Memory memory();

    @Override
    void close();
}
