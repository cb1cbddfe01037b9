package layerwise.tensor.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SequencedMap;
import layerwise.tensor.ConfigException;
import layerwise.tensor.HostTensor;

/**
 * Writes safetensors files: the same tensors in the same order give the same bytes.
 *
 * <p>The data begin at a multiple of eight bytes and the tensors follow each other without gaps, as the format demands,
 * so their order decides their alignment.
 */
public final class SafetensorsWriter {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final int ALIGNMENT = 8;
    private static final long CHUNK_BYTES = 1L << 24;

    private SafetensorsWriter() {}

    /**
     * Writes {@code tensors} in their order. The file appears complete or not at all; one that exists is replaced.
     *
     * @param tensors  contiguous tensors; their bytes go from their memory to the file without a copy of the whole
     * @param metadata free text for {@code __metadata__}, which is left out where there is none
     * @throws ConfigException       if the file cannot be written
     * @throws IllegalStateException if a tensor is not contiguous
     * @throws IllegalArgumentException if a tensor has the name of the metadata
     */
    public static void write(
            Path file, SequencedMap<String, HostTensor> tensors, SequencedMap<String, String> metadata) {
        if (tensors.containsKey(Header.METADATA)) {
            throw new IllegalArgumentException("a tensor named " + Header.METADATA);
        }
        byte[] header = header(tensors, metadata);
        Path absolute = file.toAbsolutePath();
        Path unfinished = absolute.resolveSibling(
                "." + absolute.getFileName() + "." + ProcessHandle.current().pid() + ".unfinished");
        try {
            try (FileChannel channel = FileChannel.open(
                    unfinished,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                writeFully(channel, ByteBuffer.wrap(header));
                for (HostTensor tensor : tensors.values()) {
                    writeFully(channel, tensor.memory());
                }
            }
            Files.move(unfinished, absolute, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            discard(unfinished, e);
            throw new ConfigException("%s: cannot be written: %s".formatted(file, e), e);
        } catch (RuntimeException e) {
            discard(unfinished, e);
            throw e;
        }
    }

    private static byte[] header(SequencedMap<String, HostTensor> tensors, Map<String, String> metadata) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator generator = FACTORY.createGenerator(json)) {
            generator.writeStartObject();
            if (!metadata.isEmpty()) {
                generator.writeObjectFieldStart(Header.METADATA);
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    generator.writeStringField(entry.getKey(), entry.getValue());
                }
                generator.writeEndObject();
            }
            long begin = 0;
            for (Map.Entry<String, HostTensor> named : tensors.entrySet()) {
                HostTensor tensor = named.getValue();
                long end = begin + tensor.memory().byteSize();
                generator.writeObjectFieldStart(named.getKey());
                generator.writeStringField("dtype", FileType.of(tensor.dtype()).name());
                generator.writeFieldName("shape");
                writeArray(generator, tensor.shape().dims());
                generator.writeFieldName("data_offsets");
                writeArray(generator, begin, end);
                generator.writeEndObject();
                begin = end;
            }
            generator.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return padded(json);
    }

    private static void writeArray(JsonGenerator generator, long... values) throws IOException {
        generator.writeArray(values, 0, values.length);
    }

    /** Length, JSON, and spaces up to the alignment: the length counts the spaces. */
    private static byte[] padded(ByteArrayOutputStream json) {
        int length = Math.ceilDiv(json.size(), ALIGNMENT) * ALIGNMENT;
        ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES + length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(length).put(json.toByteArray());
        while (buffer.hasRemaining()) {
            buffer.put((byte) ' ');
        }
        return buffer.array();
    }

    private static void writeFully(FileChannel channel, MemorySegment memory) throws IOException {
        for (long at = 0; at < memory.byteSize(); at += CHUNK_BYTES) {
            long bytes = Math.min(CHUNK_BYTES, memory.byteSize() - at);
            writeFully(channel, memory.asSlice(at, bytes).asByteBuffer());
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static void discard(Path unfinished, Exception reason) {
        try {
            Files.deleteIfExists(unfinished);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }
}
