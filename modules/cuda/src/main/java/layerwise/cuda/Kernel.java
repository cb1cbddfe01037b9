package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import layerwise.bindings.cudart.cudaFuncAttributes;
import layerwise.bindings.cudart.cudart_h;

/** One kernel of an image: what it takes and what it needs. Lives as long as the image. */
public final class Kernel {
    /** Dynamic shared memory above which a kernel must have been told so: 48 KiB, CUDA C++ Programming Guide. */
    private static final int SHARED_BYTES_WITHOUT_CONSENT = 48 * 1024;

    /** Cluster size above which a kernel must have been told so: 8, CUDA C++ Programming Guide. */
    private static final int PORTABLE_CLUSTER = 8;

    /** Where an argument lies in the kernel's argument block, in bytes. */
    record Parameter(long offset, long bytes) {}

    private final Device device;
    private final KernelImage image;
    private final MemorySegment handle;
    private final String symbol;
    private final List<Parameter> parameters;
    private final int registers;
    private final long localBytes;
    private final long staticSharedBytes;
    private int consentedSharedBytes = SHARED_BYTES_WITHOUT_CONSENT;

    Kernel(Device device, KernelImage image, MemorySegment handle, String symbol) {
        this.device = device;
        this.image = image;
        this.handle = handle;
        this.symbol = symbol;
        this.parameters = readParameters(handle);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = cudaFuncAttributes.allocate(arena);
            CudaException.check(cudart_h.cudaFuncGetAttributes(attributes, handle), "cudaFuncGetAttributes", symbol);
            registers = cudaFuncAttributes.numRegs(attributes);
            localBytes = cudaFuncAttributes.localSizeBytes(attributes);
            staticSharedBytes = cudaFuncAttributes.sharedSizeBytes(attributes);
        }
    }

    private static List<Parameter> readParameters(MemorySegment kernel) {
        List<Parameter> found = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment offset = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG);
            int status = cudart_h.cudaFuncGetParamInfo(kernel, 0, offset, bytes);
            while (status == 0) {
                found.add(new Parameter(offset.get(ValueLayout.JAVA_LONG, 0), bytes.get(ValueLayout.JAVA_LONG, 0)));
                status = cudart_h.cudaFuncGetParamInfo(kernel, found.size(), offset, bytes);
            }
            if (status != cudart_h.cudaErrorInvalidValue()) { // which is how the runtime says: no such parameter
                CudaException.check(status, "cudaFuncGetParamInfo");
            }
            cudart_h.cudaGetLastError();
        }
        return List.copyOf(found);
    }

    /** The symbol it was found by. */
    public String symbol() {
        return symbol;
    }

    /** Registers of a thread. */
    public int registers() {
        return registers;
    }

    /** Local memory of a thread, in bytes: spilled registers and arrays. */
    public long localBytes() {
        return localBytes;
    }

    /** Static shared memory of a block, in bytes. */
    public long staticSharedBytes() {
        return staticSharedBytes;
    }

    /** Number of arguments. */
    public int parameterCount() {
        return parameters.size();
    }

    /** Blocks of a shape that one multiprocessor holds at a time; times the multiprocessors, the size of a wave. */
    public int blocksPerMultiprocessor(LaunchShape shape) {
        consentTo(shape);
        int threads = Math.multiplyExact(Math.multiplyExact(shape.blockX(), shape.blockY()), shape.blockZ());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment blocks = arena.allocate(ValueLayout.JAVA_INT);
            CudaException.check(
                    cudart_h.cudaOccupancyMaxActiveBlocksPerMultiprocessor(
                            blocks, handle(), threads, shape.sharedBytes()),
                    "cudaOccupancyMaxActiveBlocksPerMultiprocessor",
                    symbol);
            return blocks.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /**
     * A launch of this kernel with its own block of arguments, all still unset.
     *
     * @param arena lifetime of the argument block
     */
    public KernelLaunch prepare(Arena arena, LaunchShape shape) {
        device.checkThread();
        consentTo(shape);
        return new KernelLaunch(arena, this, shape);
    }

    /** The handle; throws after the image was closed. */
    MemorySegment handle() {
        if (!image.isOpen()) {
            throw new IllegalStateException("the image of kernel " + symbol + " is closed");
        }
        return handle;
    }

    Device device() {
        return device;
    }

    List<Parameter> parameters() {
        return parameters;
    }

    private void consentTo(LaunchShape shape) {
        if (shape.sharedBytes() > device.info().sharedMemoryBytes() - staticSharedBytes) {
            throw new IllegalArgumentException("%s: %d bytes of shared memory and %d static; %s has %d"
                    .formatted(
                            symbol,
                            shape.sharedBytes(),
                            staticSharedBytes,
                            device,
                            device.info().sharedMemoryBytes()));
        }
        if (shape.sharedBytes() > consentedSharedBytes) {
            setAttribute(cudart_h.cudaFuncAttributeMaxDynamicSharedMemorySize(), shape.sharedBytes());
            consentedSharedBytes = shape.sharedBytes();
        }
        if (shape.clusterX() * shape.clusterY() * shape.clusterZ() > PORTABLE_CLUSTER) {
            setAttribute(cudart_h.cudaFuncAttributeNonPortableClusterSizeAllowed(), 1);
        }
    }

    private void setAttribute(int attribute, int value) {
        CudaException.check(
                cudart_h.cudaKernelSetAttributeForDevice(
                        handle(), attribute, value, device.info().ordinal()),
                "cudaKernelSetAttributeForDevice",
                symbol);
    }

    @Override
    public String toString() {
        return symbol;
    }
}
