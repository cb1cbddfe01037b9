package layerwise.kernels;

import layerwise.cuda.DeviceMemory;
import layerwise.cuda.PeerAddresses;

/**
 * Where all ranks reach a tensor.
 *
 * @param addresses of each rank's
 * @param fetch     brings the tensor there before a kernel, where it lies elsewhere
 * @param store     brings it back after the kernel, where it lies elsewhere
 */
record Reached(PeerAddresses addresses, Launchable fetch, Launchable store) {
    /** A tensor that lies there by itself. */
    static Reached placed(PeerAddresses addresses) {
        return new Reached(addresses, Launchable.NOTHING, Launchable.NOTHING);
    }

    /** A tensor that does not. */
    static Reached copied(DeviceMemory tensor, DeviceMemory copy, PeerAddresses addresses) {
        return tensor.bytes() == 0
                ? placed(addresses)
                : new Reached(addresses, stream -> stream.copy(tensor, copy), stream -> stream.copy(copy, tensor));
    }
}
