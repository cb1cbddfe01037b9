package layerwise.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import layerwise.bindings.cudart.cudart_h;
import layerwise.tensor.HostTensor;

/**
 * One GPU, opened by and for one thread.
 *
 * <p>Everything made from a device belongs to it and is destroyed with it, last made first, unless closed before. All of
 * it is for the opening thread: another thread's call throws.
 */
public final class Device implements AutoCloseable {
    private final Thread thread = Thread.currentThread();
    private final HandleRegistry handles = new HandleRegistry();
    private final DeviceInfo info;
    private boolean open = true;

    private Device(DeviceInfo info) {
        this.info = info;
    }

    /**
     * Opens a GPU for the calling thread.
     *
     * @throws DeviceUnavailableException if there is no such GPU, no driver or no CUDA runtime
     */
    public static Device open(int ordinal) {
        int count = DeviceInfo.count();
        if (ordinal < 0 || ordinal >= count) {
            throw new DeviceUnavailableException(
                    "CUDA device " + ordinal + " does not exist: this process sees " + count + ", numbered from 0");
        }
        CudaException.check(cudart_h.cudaSetDevice(ordinal), "cudaSetDevice", ordinal);
        return new Device(DeviceInfo.read(ordinal));
    }

    /** Facts about the GPU. */
    public DeviceInfo info() {
        return info;
    }

    /**
     * Device memory, not initialised.
     *
     * @param bytes at least 1
     * @throws DeviceMemoryException if that much is not free
     */
    public DeviceBuffer allocate(long bytes) {
        checkThread();
        return DeviceBuffer.allocate(this, bytes);
    }

    /** Page-locked host memory, not initialised. */
    public PinnedBuffer allocatePinned(long bytes) {
        checkThread();
        return PinnedBuffer.allocate(this, bytes);
    }

    /** A stream that does not wait for the null stream. */
    public CudaStream createStream() {
        checkThread();
        return CudaStream.create(this);
    }

    /** An event that takes its device time when it is recorded. */
    public CudaEvent createTimer() {
        checkThread();
        return CudaEvent.create(this, cudart_h.cudaEventDefault());
    }

    /** An event that only orders streams. */
    public CudaEvent createFence() {
        checkThread();
        return CudaEvent.create(this, cudart_h.cudaEventDisableTiming());
    }

    /** Copies a whole tensor to the device and waits for the stream. */
    public void upload(HostTensor host, DeviceMemory destination, CudaStream stream) {
        upload(host.memory(), destination, stream);
    }

    /**
     * Copies host memory of any kind to the device and waits for the stream; for setting up, not for measuring.
     *
     * @param host native or mapped memory, at most as long as the destination
     */
    public void upload(MemorySegment host, DeviceMemory destination, CudaStream stream) {
        stream.transfer(
                MemorySegment.ofAddress(destination.address()),
                destination.bytes(),
                host,
                host.byteSize(),
                cudart_h.cudaMemcpyHostToDevice());
        stream.synchronize();
    }

    /** Copies device memory to a whole tensor and waits for the stream. */
    public void download(DeviceMemory source, HostTensor host, CudaStream stream) {
        download(source, host.memory(), stream);
    }

    /** Copies device memory to host memory of any kind, which must hold all of it, and waits for the stream. */
    public void download(DeviceMemory source, MemorySegment host, CudaStream stream) {
        stream.transfer(
                host,
                host.byteSize(),
                MemorySegment.ofAddress(source.address()),
                source.bytes(),
                cudart_h.cudaMemcpyDeviceToHost());
        stream.synchronize();
    }

    /** Bytes that are free now; other processes count too. */
    public long freeBytes() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            CudaException.check(cudart_h.cudaMemGetInfo(free, total), "cudaMemGetInfo", this);
            return free.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** Waits for everything on this GPU; errors of kernels surface here. */
    public void synchronize() {
        checkThread();
        CudaException.check(cudart_h.cudaDeviceSynchronize(), "cudaDeviceSynchronize", this);
    }

    /** Lets kernels here read and write the memory of another GPU of this process. */
    public void enableAccess(int peer) {
        checkThread();
        int status = cudart_h.cudaDeviceEnablePeerAccess(peer, 0);
        if (status == cudart_h.cudaErrorPeerAccessAlreadyEnabled()) {
            cudart_h.cudaGetLastError(); // as wished: the next check shall not find it
            return;
        }
        CudaException.check(status, "cudaDeviceEnablePeerAccess", this);
    }

    /** Tells an attached profiler to begin collecting; without one it does nothing. */
    public void startCollection() {
        CudaException.check(cudart_h.cudaProfilerStart(), "cudaProfilerStart", this);
    }

    /** Tells an attached profiler to stop collecting. */
    public void stopCollection() {
        CudaException.check(cudart_h.cudaProfilerStop(), "cudaProfilerStop", this);
    }

    /** Native objects made from this device that still exist. */
    public int liveHandles() {
        return handles.size();
    }

    HandleRegistry handles() {
        return handles;
    }

    /** Throws unless the calling thread opened this device and has not closed it. */
    void checkThread() {
        if (!thread.equals(Thread.currentThread())) {
            throw new IllegalStateException(this + " belongs to thread \"" + thread.getName() + "\", called from \""
                    + Thread.currentThread().getName() + "\"");
        }
        if (!open) {
            throw new IllegalStateException(this + " is closed");
        }
    }

    /** Destroys what was made from this device; the first failure is thrown after all have been tried. */
    @Override
    public void close() {
        if (open) {
            checkThread();
            open = false;
            handles.closeAll();
        }
    }

    /** As in {@code device 0 (NVIDIA H100 80GB HBM3)}. */
    @Override
    public String toString() {
        return "device " + info.ordinal() + " (" + info.name() + ")";
    }
}
