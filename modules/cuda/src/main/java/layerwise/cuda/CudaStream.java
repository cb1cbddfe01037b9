package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cudart.cudart_h;

/**
 * A queue of device work, done in order. Calls return when the work is queued; execution errors surface at the next
 * synchronise.
 */
public final class CudaStream extends NativeHandle {
    private final Device device;

    private CudaStream(Device device, MemorySegment raw) {
        super(device.handles(), raw, CudaStream::destroy);
        this.device = device;
    }

    static CudaStream create(Device device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stream = arena.allocate(cudart_h.C_POINTER);
            CudaException.check(
                    cudart_h.cudaStreamCreateWithPriority(stream, cudart_h.cudaStreamNonBlocking(), 0),
                    "cudaStreamCreateWithPriority",
                    device);
            return new CudaStream(device, stream.get(ValueLayout.ADDRESS, 0));
        }
    }

    private static void destroy(MemorySegment stream) {
        CudaException.check(cudart_h.cudaStreamDestroy(stream), "cudaStreamDestroy");
    }

    Device device() {
        return device;
    }

    /** Waits for everything queued so far. */
    public void synchronize() {
        device.checkThread();
        CudaException.check(cudart_h.cudaStreamSynchronize(handle()), "cudaStreamSynchronize", device);
    }

    /** Queues an event. */
    public void record(CudaEvent event) {
        device.checkThread();
        CudaException.check(cudart_h.cudaEventRecord(event.handle(), handle()), "cudaEventRecord", device);
    }

    /** Makes later work wait for an event that was recorded before this call. */
    public void await(CudaEvent event) {
        device.checkThread();
        CudaException.check(
                cudart_h.cudaStreamWaitEvent(handle(), event.handle(), cudart_h.cudaEventWaitDefault()),
                "cudaStreamWaitEvent",
                device);
    }

    /** Sets every byte of a range. */
    public void fill(DeviceMemory memory, byte value) {
        device.checkThread();
        CudaException.check(
                cudart_h.cudaMemsetAsync(
                        MemorySegment.ofAddress(memory.address()), value & 0xFF, memory.bytes(), handle()),
                "cudaMemsetAsync",
                device);
    }

    /** Copies all of one range to the start of another. */
    public void copy(DeviceMemory source, DeviceMemory destination) {
        transfer(
                MemorySegment.ofAddress(destination.address()),
                destination.bytes(),
                MemorySegment.ofAddress(source.address()),
                source.bytes(),
                cudart_h.cudaMemcpyDeviceToDevice());
    }

    /** Copies all of a pinned buffer to the start of a range; the buffer must not change until that is done. */
    public void copy(PinnedBuffer source, DeviceMemory destination) {
        transfer(
                MemorySegment.ofAddress(destination.address()),
                destination.bytes(),
                source.memory(),
                source.bytes(),
                cudart_h.cudaMemcpyHostToDevice());
    }

    /** Copies all of a range to the start of a pinned buffer, which must stay open until that is done. */
    public void copy(DeviceMemory source, PinnedBuffer destination) {
        transfer(
                destination.memory(),
                destination.bytes(),
                MemorySegment.ofAddress(source.address()),
                source.bytes(),
                cudart_h.cudaMemcpyDeviceToHost());
    }

    void transfer(MemorySegment destination, long room, MemorySegment source, long bytes, int kind) {
        device.checkThread();
        if (bytes > room) {
            throw new IndexOutOfBoundsException("copy of " + bytes + " bytes into " + room);
        }
        CudaException.check(
                cudart_h.cudaMemcpyAsync(destination, source, bytes, kind, handle()), "cudaMemcpyAsync", device);
    }

    /**
     * Records what {@code work} queues on this stream, and on streams that it makes wait for this one and back, instead
     * of doing it.
     *
     * <p>Calls of this thread that cannot be recorded fail while it runs; those of other threads are not affected.
     *
     * @return the recorded graph, owned by the caller
     */
    public CudaGraph capture(Runnable work) {
        device.checkThread();
        CudaException.check(
                cudart_h.cudaStreamBeginCapture(handle(), cudart_h.cudaStreamCaptureModeThreadLocal()),
                "cudaStreamBeginCapture",
                device);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment graph = arena.allocate(cudart_h.C_POINTER);
            try {
                work.run();
            } catch (RuntimeException | Error e) {
                // The stream must leave capture mode; what was recorded is of no use.
                if (cudart_h.cudaStreamEndCapture(handle(), graph) == 0) {
                    cudart_h.cudaGraphDestroy(graph.get(ValueLayout.ADDRESS, 0));
                }
                cudart_h.cudaGetLastError();
                throw e;
            }
            CudaException.check(cudart_h.cudaStreamEndCapture(handle(), graph), "cudaStreamEndCapture", device);
            return new CudaGraph(device, graph.get(ValueLayout.ADDRESS, 0));
        }
    }
}
