package layerwise.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Where a rank's GPU is.
 *
 * @param host  the machine, the same for all containers on it
 * @param gpu   UUID of the GPU
 * @param named what a person calls it, as in {@code device 0 (NVIDIA H200)}
 */
public record GpuPlace(String host, UUID gpu, String named) {
    /** The place of a GPU of this process. */
    public static GpuPlace of(DeviceInfo gpu) {
        String host;
        try {
            host = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException e) {
            throw new DeviceUnavailableException("/proc/sys/kernel/random/boot_id cannot be read: " + e.getMessage());
        }
        return new GpuPlace(host, gpu.uuid(), "device " + gpu.ordinal() + " (" + gpu.name() + ")");
    }

    /** As a message to other ranks. */
    public byte[] message() {
        byte[] hostBytes = host.getBytes(StandardCharsets.UTF_8);
        byte[] nameBytes = named.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(16 + 8 + hostBytes.length + nameBytes.length)
                .putLong(gpu.getMostSignificantBits())
                .putLong(gpu.getLeastSignificantBits())
                .putInt(hostBytes.length)
                .put(hostBytes)
                .putInt(nameBytes.length)
                .put(nameBytes)
                .array();
    }

    /** From another rank's message. */
    public static GpuPlace read(byte[] message) {
        ByteBuffer bytes = ByteBuffer.wrap(message);
        UUID gpu = new UUID(bytes.getLong(), bytes.getLong());
        return new GpuPlace(text(bytes), gpu, text(bytes));
    }

    private static String text(ByteBuffer bytes) {
        byte[] text = new byte[bytes.getInt()];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
