package layerwise.trace;

/**
 * A GPU of the recorded machine.
 *
 * @param cudaOrdinal        its number in the recorded process
 * @param name               product name
 * @param chip               chip name, for example {@code GH100}
 * @param uuid               UUID
 * @param busLocation        PCI location
 * @param multiprocessors    streaming multiprocessors
 * @param computeMajor       compute capability, major
 * @param computeMinor       compute capability, minor
 * @param memoryBytes        device memory
 * @param memoryBandwidth    nominal bytes a second, 0 where unknown
 * @param l2CacheBytes       L2 cache
 * @param clockHz            highest clock of the multiprocessors, 0 where unknown
 */
public record GpuInfo(
        int cudaOrdinal,
        String name,
        String chip,
        String uuid,
        String busLocation,
        int multiprocessors,
        int computeMajor,
        int computeMinor,
        long memoryBytes,
        long memoryBandwidth,
        long l2CacheBytes,
        long clockHz) {}
