package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * One native object, owned by exactly one arena; closing the arena destroys it.
 *
 * <p>The arena is confined, so the handle is refused by the linker when another thread passes it, and after the close by
 * any. A second close does nothing.
 */
abstract class NativeHandle implements AutoCloseable {
    private final Arena owner = Arena.ofConfined();
    private final HandleRegistry registry;
    private final MemorySegment handle;

    /**
     * Takes ownership of a native object that Java cannot look into.
     *
     * @param raw     its address
     * @param destroy gives the object back; runs once, on the thread that opened the device
     */
    NativeHandle(HandleRegistry registry, MemorySegment raw, Consumer<MemorySegment> destroy) {
        this(registry, raw, 0, destroy);
    }

    /**
     * Takes ownership of host memory.
     *
     * @param bytes how much of it Java may read and write
     */
    @SuppressWarnings("restricted") // the library says what lies at the address and how it is given back
    NativeHandle(HandleRegistry registry, MemorySegment raw, long bytes, Consumer<MemorySegment> destroy) {
        this.registry = registry;
        this.handle = raw.reinterpret(bytes, owner, destroy);
        registry.add(this);
    }

    final MemorySegment handle() {
        return handle;
    }

    /** Whether the native object still exists. */
    public final boolean isOpen() {
        return owner.scope().isAlive();
    }

    @Override
    public final void close() {
        if (isOpen()) {
            try {
                owner.close();
            } finally {
                if (!isOpen()) { // refused to another thread, it stays whoever's it was
                    registry.remove(this);
                }
            }
        }
    }
}
