package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cudart.cudart_h;

/** Recorded device work; {@link #instantiate} makes it executable. */
public final class CudaGraph extends NativeHandle {
    private final Device device;

    CudaGraph(Device device, MemorySegment raw) {
        super(device.handles(), raw, CudaGraph::destroy);
        this.device = device;
    }

    private static void destroy(MemorySegment graph) {
        CudaException.check(cudart_h.cudaGraphDestroy(graph), "cudaGraphDestroy");
    }

    /** Kernels, copies, sets and other nodes in it. */
    public long nodes() {
        device.checkThread();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
            CudaException.check(
                    cudart_h.cudaGraphGetNodes(handle(), MemorySegment.NULL, count), "cudaGraphGetNodes", device);
            return count.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** An executable copy, owned by the caller; it does not need this graph any more. */
    public GraphExec instantiate() {
        device.checkThread();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment exec = arena.allocate(cudart_h.C_POINTER);
            CudaException.check(cudart_h.cudaGraphInstantiate(exec, handle(), 0), "cudaGraphInstantiate", device);
            return new GraphExec(device, exec.get(ValueLayout.ADDRESS, 0));
        }
    }
}
