package layerwise.cuda;

import java.util.Objects;

/**
 * A part of a buffer; not closeable.
 *
 * @param owner  the buffer
 * @param offset bytes from its start
 * @param bytes  size of the part
 */
public record DeviceSlice(DeviceBuffer owner, long offset, long bytes) implements DeviceMemory {
    public DeviceSlice {
        Objects.checkFromIndexSize(offset, bytes, owner.bytes());
    }

    @Override
    public long address() {
        return owner.address() + offset;
    }

    @Override
    public DeviceSlice slice(long from, long size) {
        Objects.checkFromIndexSize(from, size, bytes);
        return new DeviceSlice(owner, offset + from, size);
    }
}
