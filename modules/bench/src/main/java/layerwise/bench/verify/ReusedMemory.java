package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Host memory that is given out again and again: fresh memory of gigabytes costs seconds, since it is zeroed page by page.
 *
 * <p>What it gives out is not zeroed, and must not be used any more once {@link #reuse} was called. Not thread-safe.
 */
final class ReusedMemory implements Arena {
    private static final long LEAST_BLOCK = 1L << 26;

    private final Arena owner = Arena.ofShared();
    private final List<MemorySegment> blocks = new ArrayList<>();
    private int block;
    private long used;

    /** Takes back everything that was given out. */
    void reuse() {
        block = 0;
        used = 0;
    }

    @Override
    public MemorySegment allocate(long bytes, long alignment) {
        for (; block < blocks.size(); block++, used = 0) {
            long start = (used + alignment - 1) / alignment * alignment;
            if (start + bytes <= blocks.get(block).byteSize()) {
                used = start + bytes;
                return blocks.get(block).asSlice(start, bytes);
            }
        }
        blocks.add(owner.allocate(Math.max(bytes, LEAST_BLOCK), 4096));
        used = bytes;
        return blocks.get(block).asSlice(0, bytes);
    }

    @Override
    public MemorySegment.Scope scope() {
        return owner.scope();
    }

    @Override
    public void close() {
        owner.close();
    }
}
