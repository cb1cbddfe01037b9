package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.function.Consumer;
import layerwise.bindings.cudart.cudaIpcMemHandle_st;
import layerwise.bindings.cudart.cudart_h;

/** Device memory of its own: allocated, or opened from another process. Aligned to at least 256 bytes. */
public final class DeviceBuffer extends NativeHandle implements DeviceMemory {
    private final Device device;
    private final long bytes;

    private DeviceBuffer(Device device, MemorySegment raw, long bytes, Consumer<MemorySegment> destroy) {
        super(device.handles(), raw, destroy);
        this.device = device;
        this.bytes = bytes;
    }

    /** See {@link Device#allocate}. */
    static DeviceBuffer allocate(Device device, long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("allocation of " + bytes + " bytes");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(cudart_h.C_POINTER);
            int status = cudart_h.cudaMalloc(pointer, bytes);
            if (status == cudart_h.cudaErrorMemoryAllocation()) {
                cudart_h.cudaGetLastError(); // not sticky: the next check shall not find it again
                throw new DeviceMemoryException(
                        "cudaMalloc",
                        CudaException.describe(status),
                        bytes,
                        device.freeBytes(),
                        device.info().ordinal());
            }
            CudaException.check(status, "cudaMalloc", device);
            return new DeviceBuffer(device, pointer.get(ValueLayout.ADDRESS, 0), bytes, DeviceBuffer::free);
        }
    }

    /**
     * Opens memory that another process of this machine exported, as it came from {@link #exportHandle}.
     *
     * @param bytes its size as the exporter states it
     */
    public static DeviceBuffer open(Device device, byte[] exported, long bytes) {
        device.checkThread();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = cudaIpcMemHandle_st.allocate(arena);
            MemorySegment.copy(exported, 0, handle, ValueLayout.JAVA_BYTE, 0, exported.length);
            MemorySegment pointer = arena.allocate(cudart_h.C_POINTER);
            CudaException.check(
                    cudart_h.cudaIpcOpenMemHandle(pointer, handle, cudart_h.cudaIpcMemLazyEnablePeerAccess()),
                    "cudaIpcOpenMemHandle",
                    device);
            return new DeviceBuffer(device, pointer.get(ValueLayout.ADDRESS, 0), bytes, DeviceBuffer::closeOpened);
        }
    }

    /** A name for this memory that another process of this machine can {@link #open}, 64 bytes. */
    public byte[] exportHandle() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = cudaIpcMemHandle_st.allocate(arena);
            CudaException.check(cudart_h.cudaIpcGetMemHandle(handle, handle()), "cudaIpcGetMemHandle", device);
            return handle.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private static void free(MemorySegment memory) {
        CudaException.check(cudart_h.cudaFree(memory), "cudaFree");
    }

    private static void closeOpened(MemorySegment memory) {
        CudaException.check(cudart_h.cudaIpcCloseMemHandle(memory), "cudaIpcCloseMemHandle");
    }

    @Override
    public long address() {
        if (!isOpen()) {
            throw new IllegalStateException("device memory of " + bytes + " bytes was given back");
        }
        return handle().address();
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public DeviceBuffer owner() {
        return this;
    }

    @Override
    public DeviceSlice slice(long offset, long size) {
        Objects.checkFromIndexSize(offset, size, bytes);
        return new DeviceSlice(this, offset, size);
    }
}
