package layerwise.cuda;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/**
 * Device memory of the same size on every rank, reachable by all of them: through CUDA IPC from other processes, as it is
 * from other threads of this one. Owned by the device like any buffer.
 */
final class PeerBuffer {
    /** What the driver shares is whole blocks of this size, so a buffer has its blocks to itself. */
    private static final long BLOCK = 2L << 20;

    /** Size of an exported handle, {@code CUDA_IPC_HANDLE_SIZE} of driver_types.h. */
    private static final int HANDLE_BYTES = 64;

    /** Tells whether another rank lives in this process: process numbers repeat in containers. */
    private static final long PROCESS = new SecureRandom().nextLong();

    private final DeviceBuffer own;
    private final List<DeviceBuffer> opened;
    private final PeerAddresses addresses;

    private PeerBuffer(DeviceBuffer own, List<DeviceBuffer> opened, PeerAddresses addresses) {
        this.own = own;
        this.opened = opened;
        this.addresses = addresses;
    }

    /** Allocates on all ranks, which call this at the same point with the same size. */
    static PeerBuffer allocate(Device device, long bytes, int rank, PeerExchange exchange) {
        long size = Math.ceilDiv(bytes, BLOCK) * BLOCK;
        DeviceBuffer own = device.allocate(size);
        byte[] message = ByteBuffer.allocate(2 * Long.BYTES + HANDLE_BYTES)
                .putLong(PROCESS)
                .putLong(own.address())
                .put(own.exportHandle())
                .array();
        List<byte[]> messages = exchange.allGather(message);
        List<DeviceBuffer> opened = new ArrayList<>();
        long[] addresses = new long[messages.size()];
        for (int peer = 0; peer < addresses.length; peer++) {
            ByteBuffer theirs = ByteBuffer.wrap(messages.get(peer));
            boolean near = theirs.getLong() == PROCESS;
            addresses[peer] = theirs.getLong();
            if (peer != rank && !near) {
                byte[] handle = new byte[HANDLE_BYTES];
                theirs.get(handle);
                DeviceBuffer memory = DeviceBuffer.open(device, handle, size);
                opened.add(memory);
                addresses[peer] = memory.address();
            }
        }
        return new PeerBuffer(own, opened, new PeerAddresses(addresses));
    }

    DeviceBuffer own() {
        return own;
    }

    PeerAddresses addresses() {
        return addresses;
    }

    /** Lets go of the other ranks' memory. */
    void leave() {
        opened.forEach(DeviceBuffer::close);
    }
}
