package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import layerwise.bindings.nccl.ncclUniqueId;
import layerwise.bindings.nccl.nccl_h;
import layerwise.tensor.DType;

/**
 * The NCCL library of this process.
 *
 * <p>NVLink multicast stays off: the library reads {@code NCCL_NVLS_ENABLE} when it makes its first communicator, so the
 * variable is set before the library is loaded.
 */
public final class Nccl {
    private Nccl() {}

    /**
     * What one rank makes and hands to the others, so that all of them make the same communicator: 128 bytes.
     *
     * @throws DeviceUnavailableException if the library cannot be had
     */
    public static byte[] createId() {
        require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocate(ncclUniqueId.layout());
            NcclException.check(nccl_h.ncclGetUniqueId(id), "ncclGetUniqueId");
            return id.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /**
     * Its version, as {@code 2.28.9}.
     *
     * @throws DeviceUnavailableException if the library cannot be had
     */
    public static String version() {
        require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
            NcclException.check(nccl_h.ncclGetVersion(version), "ncclGetVersion");
            return LibraryReport.ofSixDigits(version.get(ValueLayout.JAVA_INT, 0));
        }
    }

    /** Loads the library unless that was done. */
    static void require() {
        Multicast.disable();
        Libraries.require(CudaLibrary.NCCL);
    }

    /** The library's number of a type that it adds. */
    static int summable(DType dtype) {
        return switch (dtype) {
            case F32 -> nccl_h.ncclFloat32();
            case BF16 -> nccl_h.ncclBfloat16();
            case F16 -> nccl_h.ncclFloat16();
            case I32 -> nccl_h.ncclInt32();
            case E4M3, E5M2, E2M1, UE8M0, I8 -> throw new IllegalArgumentException("no sums of " + dtype);
        };
    }

    /** Variables of the process as C code reads them; Java's own view of them is a copy. */
    private static final class Multicast {
        // int setenv(const char *name, const char *value, int overwrite), stdlib.h
        @SuppressWarnings("restricted") // a function of the C library
        private static final MethodHandle SETENV = Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().findOrThrow("setenv"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

        private Multicast() {}

        static void disable() {
            try (Arena arena = Arena.ofConfined()) {
                int status = setenv(arena.allocateFrom("NCCL_NVLS_ENABLE"), arena.allocateFrom("0"));
                if (status != 0) {
                    throw new IllegalStateException("setenv of NCCL_NVLS_ENABLE returned " + status);
                }
            }
        }

        private static int setenv(MemorySegment name, MemorySegment value) {
            try {
                return (int) SETENV.invokeExact(name, value, 1);
            } catch (Throwable t) {
                throw new AssertionError("setenv: wrong descriptor", t);
            }
        }
    }
}
