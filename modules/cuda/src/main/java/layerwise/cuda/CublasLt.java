package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cublasLt.cublasLt_h;

/** cuBLASLt on one device: the maker of {@link MatmulPlan}s. */
public final class CublasLt extends NativeHandle {
    private final Device device;

    private CublasLt(Device device, MemorySegment raw) {
        super(device.handles(), raw, CublasLt::destroy);
        this.device = device;
    }

    /**
     * Opens the library for a device.
     *
     * @throws DeviceUnavailableException if it cannot be had
     */
    public static CublasLt open(Device device) {
        device.checkThread();
        Libraries.require(CudaLibrary.CUBLAS_LT);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(cublasLt_h.C_POINTER);
            CublasException.check(cublasLt_h.cublasLtCreate(handle), "cublasLtCreate", device);
            return new CublasLt(device, handle.get(ValueLayout.ADDRESS, 0));
        }
    }

    private static void destroy(MemorySegment handle) {
        CublasException.check(cublasLt_h.cublasLtDestroy(handle), "cublasLtDestroy");
    }

    /** Version of the library, as in {@code 13.1.0}; part of what a kept algorithm depends on. */
    public String version() {
        return LibraryReport.ofSixDigits(cublasLt_h.cublasLtGetVersion());
    }

    /**
     * Prepares a product; an algorithm must be chosen before it can be launched.
     *
     * @throws CublasException if the library knows no such product
     */
    public MatmulPlan plan(MatmulProblem problem) {
        device.checkThread();
        return new MatmulPlan(this, problem);
    }

    Device device() {
        return device;
    }
}
