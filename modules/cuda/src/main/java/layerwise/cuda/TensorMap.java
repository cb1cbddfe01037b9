package layerwise.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import layerwise.bindings.cudart.PFN_cuTensorMapEncodeTiled_v12000;
import layerwise.bindings.cudart.cudart_h;
import layerwise.tensor.DType;

/**
 * A tensor in device memory as the tensor memory accelerator sees it: {@code CUtensorMap}, 128 bytes, passed to kernels
 * by value. Elements outside the tensor are read as zero.
 *
 * @param memory the encoded map, aligned to 64 bytes
 */
public record TensorMap(MemorySegment memory) {
    private static final long BYTES = 128; // cuda.h: CU_TENSOR_MAP_NUM_QWORDS 16
    private static final long ALIGNMENT = 64;
    private static final int ENTRY_POINT_VERSION = 12_000;

    /** How the rows of a box are permuted in shared memory; the innermost extent of the box is at most this wide. */
    public enum Swizzle {
        NONE,
        BYTES_32,
        BYTES_64,
        BYTES_128
    }

    /** The driver's function, found at first need: the runtime has no twin of it. */
    private static final class Encode {
        static final MemorySegment ADDRESS_OF = find();

        private static MemorySegment find() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment function = arena.allocate(ADDRESS);
                MemorySegment outcome = arena.allocate(JAVA_INT);
                CudaException.check(
                        cudart_h.cudaGetDriverEntryPointByVersion(
                                arena.allocateFrom("cuTensorMapEncodeTiled"),
                                function,
                                ENTRY_POINT_VERSION,
                                cudart_h.cudaEnableDefault(),
                                outcome),
                        "cudaGetDriverEntryPointByVersion",
                        "cuTensorMapEncodeTiled");
                if (outcome.get(JAVA_INT, 0) != cudart_h.cudaDriverEntryPointSuccess()) {
                    throw new DeviceUnavailableException(
                            "the CUDA driver has no cuTensorMapEncodeTiled: it is older than CUDA 12.0");
                }
                return function.get(ADDRESS, 0);
            }
        }
    }

    /**
     * A map for loads and stores of boxes.
     *
     * @param arena       lifetime of the map's memory; a {@link KernelLaunch} copies it
     * @param dtype       type of the elements; 8-bit ones move as bytes
     * @param address     of the first element, a multiple of 16
     * @param extents     of the tensor in elements, innermost first; one to five of them
     * @param strideBytes from one element to the next along each axis but the innermost; multiples of 16
     * @param box         extents of what one instruction moves, in elements; at most 256 each
     */
    public static TensorMap tiled(
            Arena arena, DType dtype, long address, long[] extents, long[] strideBytes, int[] box, Swizzle swizzle) {
        int rank = extents.length;
        if (strideBytes.length != rank - 1 || box.length != rank) {
            throw new IllegalArgumentException("%d extents need %d strides and %d box extents, got %d and %d"
                    .formatted(rank, rank - 1, rank, strideBytes.length, box.length));
        }
        MemorySegment map = arena.allocate(BYTES, ALIGNMENT);
        try (Arena call = Arena.ofConfined()) {
            int[] steps = new int[rank];
            Arrays.fill(steps, 1);
            int status = PFN_cuTensorMapEncodeTiled_v12000.invoke(
                    Encode.ADDRESS_OF,
                    map,
                    dataType(dtype),
                    rank,
                    MemorySegment.ofAddress(address),
                    call.allocateFrom(JAVA_LONG, extents),
                    call.allocateFrom(JAVA_LONG, strideBytes),
                    call.allocateFrom(JAVA_INT, box),
                    call.allocateFrom(JAVA_INT, steps),
                    cudart_h.CU_TENSOR_MAP_INTERLEAVE_NONE(),
                    mode(swizzle),
                    cudart_h.CU_TENSOR_MAP_L2_PROMOTION_L2_256B(),
                    cudart_h.CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE());
            if (status != 0) {
                throw new IllegalArgumentException(
                        "cuTensorMapEncodeTiled refuses (%d) %s at %#x, extents %s, strides %s bytes, box %s, swizzle %s"
                                .formatted(
                                        status,
                                        dtype,
                                        address,
                                        Arrays.toString(extents),
                                        Arrays.toString(strideBytes),
                                        Arrays.toString(box),
                                        swizzle));
            }
        }
        return new TensorMap(map);
    }

    private static int dataType(DType dtype) {
        return switch (dtype) {
            case F32 -> cudart_h.CU_TENSOR_MAP_DATA_TYPE_FLOAT32();
            case F16 -> cudart_h.CU_TENSOR_MAP_DATA_TYPE_FLOAT16();
            case BF16 -> cudart_h.CU_TENSOR_MAP_DATA_TYPE_BFLOAT16();
            case I32 -> cudart_h.CU_TENSOR_MAP_DATA_TYPE_INT32();
            case E4M3, E5M2, UE8M0, I8 -> cudart_h.CU_TENSOR_MAP_DATA_TYPE_UINT8();
            case E2M1 -> throw new IllegalArgumentException("E2M1 moves as I8, two elements a byte");
        };
    }

    private static int mode(Swizzle swizzle) {
        return switch (swizzle) {
            case NONE -> cudart_h.CU_TENSOR_MAP_SWIZZLE_NONE();
            case BYTES_32 -> cudart_h.CU_TENSOR_MAP_SWIZZLE_32B();
            case BYTES_64 -> cudart_h.CU_TENSOR_MAP_SWIZZLE_64B();
            case BYTES_128 -> cudart_h.CU_TENSOR_MAP_SWIZZLE_128B();
        };
    }
}
