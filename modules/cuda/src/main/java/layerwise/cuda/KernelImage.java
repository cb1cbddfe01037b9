package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import layerwise.bindings.cudart.cudart_h;
import layerwise.tensor.ConfigException;

/** A CUBIN loaded on a device. */
public final class KernelImage extends NativeHandle {
    private final Device device;
    private final String file;
    private final Map<String, Kernel> kernels = new HashMap<>();

    private KernelImage(Device device, MemorySegment raw, String file) {
        super(device.handles(), raw, KernelImage::unload);
        this.device = device;
        this.file = file;
    }

    /**
     * Loads a CUBIN as it is; {@link CubinCatalog} checks what it loads.
     *
     * @param file its name, for messages
     * @throws ConfigException if the driver refuses it; it may look at damaged bytes only when a kernel is asked for
     */
    public static KernelImage load(Device device, byte[] cubin, String file) {
        device.checkThread();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment library = arena.allocate(cudart_h.C_POINTER);
            MemorySegment none = MemorySegment.NULL;
            int status = cudart_h.cudaLibraryLoadData(
                    library, arena.allocateFrom(ValueLayout.JAVA_BYTE, cubin), none, none, 0, none, none, 0);
            if (status != 0) {
                cudart_h.cudaGetLastError();
                throw new ConfigException("%s cannot be loaded on %s: %s; rebuild it or reinstall"
                        .formatted(file, device, CudaException.describe(status)));
            }
            return new KernelImage(device, library.get(ValueLayout.ADDRESS, 0), file);
        }
    }

    private static void unload(MemorySegment library) {
        CudaException.check(cudart_h.cudaLibraryUnload(library), "cudaLibraryUnload");
    }

    /**
     * A kernel by its symbol; the same object each time.
     *
     * @throws ConfigException if the image has no such symbol
     */
    public Kernel kernel(String symbol) {
        device.checkThread();
        return kernels.computeIfAbsent(symbol, this::find);
    }

    private Kernel find(String symbol) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment kernel = arena.allocate(cudart_h.C_POINTER);
            int status = cudart_h.cudaLibraryGetKernel(kernel, handle(), arena.allocateFrom(symbol));
            if (status != 0) {
                cudart_h.cudaGetLastError();
                throw new ConfigException(
                        "%s has no kernel %s: %s".formatted(file, symbol, CudaException.describe(status)));
            }
            // The kernel lives as long as the image, which must stay open while it is used.
            return new Kernel(device, this, kernel.get(ValueLayout.ADDRESS, 0), symbol);
        }
    }
}
