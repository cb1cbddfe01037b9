package layerwise.op;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.OptionalLong;
import layerwise.tensor.HostTensor;

/**
 * Buffers that have a place and live equally long. A nested memory sees those of its parent; parents close their
 * children.
 */
public interface Memory extends AutoCloseable {
    /**
     * Gives a buffer its place and contents.
     *
     * @throws IllegalArgumentException if a buffer of that name lives here or in a parent
     */
    void put(Buffer buffer, Contents contents);

    /** The same for many buffers, in their order; large contents from the host may then move faster than one by one. */
    default void putAll(Map<Buffer, Contents> contents) {
        contents.forEach(this::put);
    }

    /** Whether the buffer lives here or in a parent. */
    boolean holds(Buffer buffer);

    /** A copy of a tensor's elements as they are once everything enqueued has run, contiguous. */
    HostTensor read(TensorRef tensor, Arena arena);

    /** What a check of outputs looks at, counted once everything enqueued has run. */
    Summary summarize(TensorRef tensor);

    /**
     * Prepares a copy of a tensor to another: each run of it enqueues the copy, after what was enqueued before, and allocates
     * nothing.
     *
     * @throws IllegalArgumentException if they differ in type or size, or have gaps between their elements
     */
    Runnable copying(TensorRef source, TensorRef target);

    /** Enqueues other contents for a buffer that lives here or in a parent. */
    void refill(Buffer buffer, Contents contents);

    /** Number of the first element that is a NaN or infinite, once everything enqueued has run; types without any have none. */
    OptionalLong firstNotFinite(Buffer buffer);

    /** A memory for buffers that end earlier than these. */
    Memory nested();

    /** Frees the buffers. */
    @Override
    void close();
}
