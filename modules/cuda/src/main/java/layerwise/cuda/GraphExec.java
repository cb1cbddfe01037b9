package layerwise.cuda;

import java.lang.foreign.MemorySegment;
import layerwise.bindings.cudart.cudart_h;

/** An executable graph. The memory that its nodes name must outlive it. */
public final class GraphExec extends NativeHandle {
    private final Device device;

    GraphExec(Device device, MemorySegment raw) {
        super(device.handles(), raw, GraphExec::destroy);
        this.device = device;
    }

    private static void destroy(MemorySegment exec) {
        CudaException.check(cudart_h.cudaGraphExecDestroy(exec), "cudaGraphExecDestroy");
    }

    /** Copies the graph to the device now, so that the first launch costs what the later ones do. */
    public void upload(CudaStream stream) {
        device.checkThread();
        CudaException.check(cudart_h.cudaGraphUpload(handle(), stream.handle()), "cudaGraphUpload", device);
    }

    /** Queues one execution. */
    public void launch(CudaStream stream) {
        device.checkThread();
        CudaException.check(cudart_h.cudaGraphLaunch(handle(), stream.handle()), "cudaGraphLaunch", device);
    }
}
