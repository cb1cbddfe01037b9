package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import layerwise.bindings.cudart.cudaDeviceProp;
import layerwise.bindings.cudart.cudart_h;
import layerwise.trace.GpuInfo;

/**
 * What the runtime says about a GPU.
 *
 * @param ordinal           its CUDA ordinal in this process
 * @param name              product name
 * @param major             compute capability, major
 * @param minor             compute capability, minor
 * @param memoryBytes       device memory
 * @param multiprocessors   streaming multiprocessors
 * @param l2Bytes           L2 cache
 * @param sharedMemoryBytes shared memory that one block may ask for
 * @param clockHz           highest clock of the multiprocessors
 * @param memoryClockHz     highest clock of the memory
 * @param memoryBusBits     width of the memory bus
 * @param uuid              UUID
 * @param busId             PCI location
 * @param driver            newest CUDA version that the driver supports, as in 13.0
 * @param runtime           version of the CUDA runtime, as in 13.0
 */
public record DeviceInfo(
        int ordinal,
        String name,
        int major,
        int minor,
        long memoryBytes,
        int multiprocessors,
        long l2Bytes,
        long sharedMemoryBytes,
        long clockHz,
        long memoryClockHz,
        int memoryBusBits,
        UUID uuid,
        String busId,
        String driver,
        String runtime) {

    /**
     * All GPUs of this process.
     *
     * @throws DeviceUnavailableException if there are none, or no driver, or no CUDA runtime
     */
    public static List<DeviceInfo> all() {
        int count = count();
        List<DeviceInfo> infos = new ArrayList<>();
        for (int ordinal = 0; ordinal < count; ordinal++) {
            infos.add(read(ordinal));
        }
        return infos;
    }

    /** Compute capability, as in {@code 9.0}. */
    public String computeCapability() {
        return major + "." + minor;
    }

    /** Nominal bytes a second of the memory: two transfers a clock. */
    public long memoryBandwidth() {
        return 2 * memoryClockHz * (memoryBusBits / 8);
    }

    /** This GPU as a trace describes it. */
    public GpuInfo traced() {
        return new GpuInfo(
                ordinal,
                name,
                "sm_" + major + minor,
                uuid.toString(),
                busId,
                multiprocessors,
                major,
                minor,
                memoryBytes,
                memoryBandwidth(),
                l2Bytes,
                clockHz);
    }

    /** Whether its kernels may read and write the memory of another GPU of this process. */
    boolean canAccess(DeviceInfo peer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment can = arena.allocate(ValueLayout.JAVA_INT);
            CudaException.check(
                    cudart_h.cudaDeviceCanAccessPeer(can, ordinal, peer.ordinal), "cudaDeviceCanAccessPeer", this);
            return can.get(ValueLayout.JAVA_INT, 0) != 0;
        }
    }

    /** Whether atomic operations reach the memory of another GPU of this process: over NVLink they do, over PCIe not. */
    boolean hasAtomicsWith(DeviceInfo peer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment has = arena.allocate(ValueLayout.JAVA_INT);
            CudaException.check(
                    cudart_h.cudaDeviceGetP2PAttribute(
                            has, cudart_h.cudaDevP2PAttrNativeAtomicSupported(), ordinal, peer.ordinal),
                    "cudaDeviceGetP2PAttribute",
                    this);
            return has.get(ValueLayout.JAVA_INT, 0) != 0;
        }
    }

    static int count() {
        Libraries.require(CudaLibrary.RUNTIME);
        if (driverVersion() == 0) {
            throw new DeviceUnavailableException(
                    "no CUDA driver is loaded on this machine, so there is no CUDA device");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            int status = cudart_h.cudaGetDeviceCount(count);
            if (status != 0) {
                // Whatever keeps the runtime from counting lies in the environment: driver, permissions, visibility.
                throw new DeviceUnavailableException("no CUDA device: cudaGetDeviceCount: "
                        + CudaException.describe(status) + "; driver for CUDA " + versionText(driverVersion())
                        + ", runtime " + versionText(runtimeVersion()));
            }
            return count.get(ValueLayout.JAVA_INT, 0);
        }
    }

    static DeviceInfo read(int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment properties = cudaDeviceProp.allocate(arena);
            CudaException.check(
                    cudart_h.cudaGetDeviceProperties(properties, ordinal), "cudaGetDeviceProperties", ordinal);
            MemorySegment busId = arena.allocate(32);
            CudaException.check(cudart_h.cudaDeviceGetPCIBusId(busId, 32, ordinal), "cudaDeviceGetPCIBusId", ordinal);
            return new DeviceInfo(
                    ordinal,
                    cudaDeviceProp.name(properties).getString(0),
                    cudaDeviceProp.major(properties),
                    cudaDeviceProp.minor(properties),
                    cudaDeviceProp.totalGlobalMem(properties),
                    cudaDeviceProp.multiProcessorCount(properties),
                    cudaDeviceProp.l2CacheSize(properties),
                    cudaDeviceProp.sharedMemPerBlockOptin(properties),
                    1000L * attribute(arena, cudart_h.cudaDevAttrClockRate(), ordinal),
                    1000L * attribute(arena, cudart_h.cudaDevAttrMemoryClockRate(), ordinal),
                    cudaDeviceProp.memoryBusWidth(properties),
                    uuid(cudaDeviceProp.uuid(properties)),
                    busId.getString(0),
                    versionText(driverVersion()),
                    versionText(runtimeVersion()));
        }
    }

    /** Sixteen bytes, most significant first, as UUIDs are printed. */
    private static UUID uuid(MemorySegment bytes) {
        ValueLayout.OfLong bigEndian = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
        return new UUID(bytes.get(bigEndian, 0), bytes.get(bigEndian, 8));
    }

    private static int attribute(Arena arena, int attribute, int ordinal) {
        MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
        CudaException.check(
                cudart_h.cudaDeviceGetAttribute(value, attribute, ordinal), "cudaDeviceGetAttribute", attribute);
        return value.get(ValueLayout.JAVA_INT, 0);
    }

    /** Newest CUDA version that the driver supports, as in 13000; 0 where no driver is loaded. */
    static int driverVersion() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
            CudaException.check(cudart_h.cudaDriverGetVersion(version), "cudaDriverGetVersion");
            return version.get(ValueLayout.JAVA_INT, 0);
        }
    }

    static int runtimeVersion() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
            CudaException.check(cudart_h.cudaRuntimeGetVersion(version), "cudaRuntimeGetVersion");
            return version.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** {@code 13000} is 13.0. */
    static String versionText(int version) {
        return (version / 1000) + "." + (version % 1000 / 10);
    }
}
