package layerwise.cuda;

/**
 * A range of device memory. Java never reads it; {@link CudaStream#copy} and {@link Device#download} move it.
 *
 * <p>A {@link DeviceBuffer} owns its memory, a {@link DeviceSlice} keeps the owner reachable and has no lifetime of its
 * own.
 */
public sealed interface DeviceMemory permits DeviceBuffer, DeviceSlice {
    /**
     * The device address, for arguments of kernels.
     *
     * @throws IllegalStateException if the memory was given back
     */
    long address();

    /** Size in bytes. */
    long bytes();

    /** The buffer that owns the memory. */
    DeviceBuffer owner();

    /**
     * A part of this memory.
     *
     * @throws IndexOutOfBoundsException if it does not lie inside
     */
    DeviceSlice slice(long offset, long bytes);
}
