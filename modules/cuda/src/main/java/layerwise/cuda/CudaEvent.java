package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cudart.cudart_h;

/** A point in a stream: other streams wait for it, and a timer takes the device's clock there. */
public final class CudaEvent extends NativeHandle {
    private CudaEvent(Device device, MemorySegment raw) {
        super(device.handles(), raw, CudaEvent::destroy);
    }

    static CudaEvent create(Device device, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(cudart_h.C_POINTER);
            CudaException.check(cudart_h.cudaEventCreateWithFlags(event, flags), "cudaEventCreateWithFlags", device);
            return new CudaEvent(device, event.get(ValueLayout.ADDRESS, 0));
        }
    }

    private static void destroy(MemorySegment event) {
        CudaException.check(cudart_h.cudaEventDestroy(event), "cudaEventDestroy");
    }

    /** Waits until the stream has passed the event. */
    public void synchronize() {
        CudaException.check(cudart_h.cudaEventSynchronize(handle()), "cudaEventSynchronize");
    }

    /** Whether the stream has passed the event. */
    public boolean isPassed() {
        int status = cudart_h.cudaEventQuery(handle());
        if (status == cudart_h.cudaErrorNotReady()) {
            cudart_h.cudaGetLastError(); // an answer, not an error: the next check shall not find it
            return false;
        }
        CudaException.check(status, "cudaEventQuery");
        return true;
    }

    /**
     * Device time from an earlier timer to this one, in microseconds; both must have been passed. The clock's step is
     * half a microsecond.
     */
    public double microsSince(CudaEvent earlier) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment milliseconds = arena.allocate(ValueLayout.JAVA_FLOAT);
            CudaException.check(
                    cudart_h.cudaEventElapsedTime(milliseconds, earlier.handle(), handle()), "cudaEventElapsedTime");
            return 1e3 * milliseconds.get(ValueLayout.JAVA_FLOAT, 0);
        }
    }
}
