package layerwise.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import layerwise.bindings.cudart.cudaLaunchAttributeValue;
import layerwise.bindings.cudart.cudaLaunchAttribute_st;
import layerwise.bindings.cudart.cudaLaunchConfig_st;
import layerwise.bindings.cudart.cudart_h;
import layerwise.bindings.cudart.dim3;

/**
 * One prepared launch: a kernel, its shape and its own block of arguments.
 *
 * <p>Arguments are set by index, each checked against the size that the kernel itself states, and stay set; a launch then
 * is one native call and allocates nothing. The driver reads the block during that call, so it may change right after.
 */
public final class KernelLaunch {
    /** The kernel argument block is aligned as its strictest argument, a tensor map: 64 bytes, CUDA driver API. */
    private static final long ALIGNMENT = 64;

    private final Kernel kernel;
    private final MemorySegment block;
    private final MemorySegment pointers;
    private final MemorySegment config;
    private final boolean[] set;
    private int unset;

    KernelLaunch(Arena arena, Kernel kernel, LaunchShape shape) {
        this.kernel = kernel;
        int count = kernel.parameterCount();
        this.set = new boolean[count];
        this.unset = count;
        long end = kernel.parameters().stream()
                .mapToLong(parameter -> parameter.offset() + parameter.bytes())
                .max()
                .orElse(0);
        this.block = arena.allocate(Math.max(end, 1), ALIGNMENT);
        this.pointers = arena.allocate(ADDRESS, Math.max(count, 1));
        for (int i = 0; i < count; i++) {
            pointers.setAtIndex(
                    ADDRESS, i, block.asSlice(kernel.parameters().get(i).offset()));
        }
        this.config = config(arena, shape);
    }

    private static MemorySegment config(Arena arena, LaunchShape shape) {
        MemorySegment config = cudaLaunchConfig_st.allocate(arena);
        extents(cudaLaunchConfig_st.gridDim(config), shape.gridX(), shape.gridY(), shape.gridZ());
        extents(cudaLaunchConfig_st.blockDim(config), shape.blockX(), shape.blockY(), shape.blockZ());
        cudaLaunchConfig_st.dynamicSmemBytes(config, shape.sharedBytes());
        MemorySegment attributes = cudaLaunchAttribute_st.allocateArray(3, arena);
        int count = 0;
        if (shape.hasCluster()) {
            MemorySegment value = attribute(attributes, count++, cudart_h.cudaLaunchAttributeClusterDimension());
            extents(cudaLaunchAttributeValue.clusterDim(value), shape.clusterX(), shape.clusterY(), shape.clusterZ());
        }
        if (shape.cooperative()) {
            MemorySegment value = attribute(attributes, count++, cudart_h.cudaLaunchAttributeCooperative());
            cudaLaunchAttributeValue.cooperative(value, 1);
        }
        if (shape.programmatic()) {
            MemorySegment value =
                    attribute(attributes, count++, cudart_h.cudaLaunchAttributeProgrammaticStreamSerialization());
            cudaLaunchAttributeValue.programmaticStreamSerializationAllowed(value, 1);
        }
        cudaLaunchConfig_st.attrs(config, attributes);
        cudaLaunchConfig_st.numAttrs(config, count);
        return config;
    }

    private static MemorySegment attribute(MemorySegment attributes, int index, int id) {
        MemorySegment attribute = cudaLaunchAttribute_st.asSlice(attributes, index);
        cudaLaunchAttribute_st.id(attribute, id);
        return cudaLaunchAttribute_st.val(attribute);
    }

    /** Three unsigned numbers, as dim3 and the cluster extents lie in memory. */
    private static void extents(MemorySegment three, int x, int y, int z) {
        three.set(JAVA_INT_UNALIGNED, dim3.x$offset(), x);
        three.set(JAVA_INT_UNALIGNED, dim3.y$offset(), y);
        three.set(JAVA_INT_UNALIGNED, dim3.z$offset(), z);
    }

    /** Changes the grid for later launches; it must stay a multiple of the cluster. */
    public void grid(int x, int y, int z) {
        extents(cudaLaunchConfig_st.gridDim(config), x, y, z);
    }

    /** Sets a pointer to the start of a range. */
    public KernelLaunch pointer(int index, DeviceMemory memory) {
        return pointer(index, memory.address());
    }

    /** Sets a pointer to a device address; 0 is the null pointer. */
    public KernelLaunch pointer(int index, long address) {
        block.set(JAVA_LONG_UNALIGNED, place(index, Long.BYTES), address);
        return this;
    }

    /** Sets a 32-bit integer. */
    public KernelLaunch set(int index, int value) {
        block.set(JAVA_INT_UNALIGNED, place(index, Integer.BYTES), value);
        return this;
    }

    /** Sets a 64-bit integer. */
    public KernelLaunch set(int index, long value) {
        block.set(JAVA_LONG_UNALIGNED, place(index, Long.BYTES), value);
        return this;
    }

    /** Sets a 32-bit float. */
    public KernelLaunch set(int index, float value) {
        block.set(JAVA_FLOAT_UNALIGNED, place(index, Float.BYTES), value);
        return this;
    }

    /** Sets a tensor map, passed by value ({@code const __grid_constant__ CUtensorMap}). */
    public KernelLaunch set(int index, TensorMap map) {
        return set(index, map.memory());
    }

    /** Sets a struct, passed by value. */
    public KernelLaunch set(int index, MemorySegment struct) {
        MemorySegment.copy(struct, 0, block, place(index, struct.byteSize()), struct.byteSize());
        return this;
    }

    private long place(int index, long bytes) {
        Kernel.Parameter parameter = kernel.parameters().get(index);
        if (parameter.bytes() != bytes) {
            throw new IllegalArgumentException("argument %d of %s takes %d bytes, not %d"
                    .formatted(index, kernel.symbol(), parameter.bytes(), bytes));
        }
        if (!set[index]) {
            set[index] = true;
            unset--;
        }
        return parameter.offset();
    }

    /**
     * Queues the kernel.
     *
     * @throws IllegalStateException if an argument was never set
     * @throws CudaException         if the launch is rejected; execution errors surface at the next synchronise
     */
    public void launch(CudaStream stream) {
        kernel.device().checkThread();
        if (unset != 0) {
            throw new IllegalStateException(
                    "arguments of " + kernel.symbol() + " that were set: " + Arrays.toString(set));
        }
        cudaLaunchConfig_st.stream(config, stream.handle());
        CudaException.check(
                cudart_h.cudaLaunchKernelExC(config, kernel.handle(), pointers), "cudaLaunchKernelExC", kernel);
    }

    /** As in {@code rms_norm_bf16<<<(128, 1, 1), (256, 1, 1)>>>}. */
    @Override
    public String toString() {
        return kernel.symbol() + "<<<" + extents(cudaLaunchConfig_st.gridDim(config)) + ", "
                + extents(cudaLaunchConfig_st.blockDim(config)) + ">>>";
    }

    private static String extents(MemorySegment three) {
        return "(" + dim3.x(three) + ", " + dim3.y(three) + ", " + dim3.z(three) + ")";
    }
}
