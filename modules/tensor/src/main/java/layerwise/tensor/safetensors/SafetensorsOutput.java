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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/**
 * A safetensors file that is written tensor by tensor, in any order and by several threads, so that none but those at hand need
 * memory. It appears complete or not at all.
 *
 * <p>The data begin at a multiple of eight bytes and the tensors follow each other without gaps, as the format demands.
 */
public final class SafetensorsOutput implements AutoCloseable {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final int ALIGNMENT = 8;
    private static final long CHUNK_BYTES = 1L << 24;

    private final Path file;
    private final Path unfinished;
    private final FileChannel channel;
    private final Map<String, Place> places;
    private final AtomicLong missing;

    private record Place(long begin, long bytes) {}

    /** A tensor of the file. */
    public static final class Spec {
        private final String name;
        private final FileType type;
        private final Shape shape;

        private Spec(String name, FileType type, Shape shape) {
            if (name.equals(Header.METADATA)) {
                throw new IllegalArgumentException("a tensor named " + Header.METADATA);
            }
            this.name = name;
            this.type = type;
            this.shape = shape;
        }

        /** Elements as they are. */
        public static Spec of(String name, DType dtype, Shape shape) {
            return new Spec(name, FileType.of(dtype), shape);
        }

        /** Bytes that something is packed in, {@code U8} in the file. */
        public static Spec packed(String name, Shape shape) {
            return new Spec(name, FileType.U8, shape);
        }

        /** Name in the file. */
        public String name() {
            return name;
        }

        /** Bytes of the data. */
        public long bytes() {
            return Math.multiplyExact(shape.elements(), type.bits()) / 8;
        }
    }

    private SafetensorsOutput(Path file, Path unfinished, FileChannel channel, Map<String, Place> places) {
        this.file = file;
        this.unfinished = unfinished;
        this.channel = channel;
        this.places = places;
        this.missing =
                new AtomicLong(places.values().stream().mapToLong(Place::bytes).sum());
    }

    /**
     * Begins a file; one that exists is replaced at the end.
     *
     * @param tensors  in the file's order
     * @param metadata free text for {@code __metadata__}, which is left out where there is none
     * @throws ConfigException if it cannot be written
     */
    public static SafetensorsOutput create(Path file, List<Spec> tensors, Map<String, String> metadata) {
        byte[] header = header(tensors, metadata);
        Map<String, Place> places = new LinkedHashMap<>();
        long at = header.length;
        for (Spec tensor : tensors) {
            places.put(tensor.name(), new Place(at, tensor.bytes()));
            at += tensor.bytes();
        }
        Path absolute = file.toAbsolutePath();
        Path unfinished = absolute.resolveSibling(
                "." + absolute.getFileName() + "." + ProcessHandle.current().pid() + ".unfinished");
        try {
            FileChannel channel = FileChannel.open(
                    unfinished,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE);
            SafetensorsOutput output = new SafetensorsOutput(file, unfinished, channel, places);
            output.put(0, ByteBuffer.wrap(header));
            return output;
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be written: %s".formatted(file, e), e);
        }
    }

    /**
     * Writes a whole tensor, contiguous; each once.
     *
     * @throws IllegalArgumentException if the file has none of that name and size
     */
    public void write(String name, HostTensor tensor) {
        MemorySegment memory = tensor.memory();
        if (!places.containsKey(name) || places.get(name).bytes() != memory.byteSize()) {
            throw new IllegalArgumentException("%s as %s".formatted(tensor, name));
        }
        write(name, 0, memory);
    }

    /**
     * Writes some bytes of a tensor; each byte once.
     *
     * @param from first of them, counted from the tensor's begin
     * @throws IndexOutOfBoundsException if they leave the tensor
     */
    public void write(String name, long from, MemorySegment bytes) {
        Place place = places.get(name);
        if (from < 0 || from + bytes.byteSize() > place.bytes()) {
            throw new IndexOutOfBoundsException("bytes %d to %d of %s".formatted(from, from + bytes.byteSize(), name));
        }
        for (long at = 0; at < bytes.byteSize(); at += CHUNK_BYTES) {
            long size = Math.min(CHUNK_BYTES, bytes.byteSize() - at);
            put(place.begin() + from + at, bytes.asSlice(at, size).asByteBuffer());
        }
        missing.addAndGet(-bytes.byteSize());
    }

    private void put(long position, ByteBuffer bytes) {
        try {
            for (long at = position; bytes.hasRemaining(); ) {
                at += channel.write(bytes, at);
            }
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be written: %s".formatted(file, e), e);
        }
    }

    /**
     * Gives the file its name.
     *
     * @throws IllegalStateException if tensors were not written, or twice
     */
    public void finish() {
        if (missing.get() != 0) {
            throw new IllegalStateException("%d bytes of %s were not written".formatted(missing.get(), file));
        }
        try {
            channel.close();
            Files.move(unfinished, file.toAbsolutePath(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be written: %s".formatted(file, e), e);
        }
    }

    /** Discards what was not finished. */
    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(unfinished);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be removed: %s".formatted(unfinished, e), e);
        }
    }

    private static byte[] header(List<Spec> tensors, Map<String, String> metadata) {
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
            for (Spec tensor : tensors) {
                long end = begin + tensor.bytes();
                generator.writeObjectFieldStart(tensor.name());
                generator.writeStringField("dtype", tensor.type.name());
                generator.writeFieldName("shape");
                writeArray(generator, tensor.shape.dims());
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
}
