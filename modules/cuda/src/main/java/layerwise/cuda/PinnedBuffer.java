package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cudart.cudart_h;

/** Page-locked host memory, which asynchronous copies need; it must outlive them. */
public final class PinnedBuffer extends NativeHandle {
    private PinnedBuffer(Device device, MemorySegment raw, long bytes) {
        super(device.handles(), raw, bytes, PinnedBuffer::free);
    }

    /** See {@link Device#allocatePinned}. */
    static PinnedBuffer allocate(Device device, long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("allocation of " + bytes + " bytes");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(cudart_h.C_POINTER);
            CudaException.check(
                    cudart_h.cudaHostAlloc(pointer, bytes, cudart_h.cudaHostAllocDefault()),
                    "cudaHostAlloc",
                    bytes + " bytes");
            return new PinnedBuffer(device, pointer.get(ValueLayout.ADDRESS, 0), bytes);
        }
    }

    private static void free(MemorySegment memory) {
        CudaException.check(cudart_h.cudaFreeHost(memory), "cudaFreeHost");
    }

    /** The memory, readable and writable by the thread that opened the device. */
    public MemorySegment memory() {
        return handle();
    }

    /** Size in bytes. */
    public long bytes() {
        return handle().byteSize();
    }
}
