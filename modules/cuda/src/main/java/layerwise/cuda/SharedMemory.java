package layerwise.cuda;

/** A part of memory that all ranks of a {@link PeerGroup} reach, at the same place of each rank's block. */
public final class SharedMemory implements AutoCloseable {
    private final PeerBuffer buffer;
    private final PeerPlaces places;
    private final long start;
    private final long bytes;
    private boolean open = true;

    SharedMemory(PeerBuffer buffer, PeerPlaces places, long start, long bytes) {
        this.buffer = buffer;
        this.places = places;
        this.start = start;
        this.bytes = bytes;
    }

    /** This rank's own part. */
    public DeviceSlice own() {
        return buffer.own().slice(start, bytes);
    }

    /** Where this rank reaches the part of each. */
    public PeerAddresses addresses() {
        return buffer.addresses().plus(start);
    }

    /** Gives the place back to the group, on all ranks at the same point. */
    @Override
    public void close() {
        if (open) {
            open = false;
            places.giveBack(start);
        }
    }
}
