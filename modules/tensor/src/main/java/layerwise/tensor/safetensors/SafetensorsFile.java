package layerwise.tensor.safetensors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedSet;
import layerwise.tensor.ConfigException;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.NearestNames;

/**
 * A safetensors file, mapped into memory: its tensors are read-only views of the mapping, nothing is copied.
 *
 * <p>The file is eight bytes of header length (little-endian), a JSON header and the data. It is checked completely
 * before the first tensor is handed out: every tensor lies inside the data, has the size of its shape, and together they
 * cover the data without holes or overlaps. A tensor may lie at any byte, whatever its type.
 */
public final class SafetensorsFile implements NamedTensors {
    private static final ValueLayout.OfLong LENGTH = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final Header header;
    private final MemorySegment data;

    private SafetensorsFile(Path file, Header header, MemorySegment data) {
        this.file = file;
        this.header = header;
        this.data = data;
    }

    /**
     * Maps and checks a file.
     *
     * @param arena the lifetime of the mapping and of every tensor from it
     * @throws ConfigException if the file cannot be read or breaks the format
     */
    public static SafetensorsFile open(Path file, Arena arena) {
        MemorySegment mapping = map(file, arena);
        long bytes = mapping.byteSize();
        if (bytes < LENGTH.byteSize()) {
            throw new ConfigException(
                    "%s: %s bytes, expected at least the 8 of a safetensors header length".formatted(file, bytes));
        }
        long headerBytes = mapping.get(LENGTH, 0);
        if (headerBytes < 0 || headerBytes > StrictJson.MAX_BYTES) {
            throw new ConfigException("%s: header length %s, expected at most %s bytes: not a safetensors file"
                    .formatted(file, Long.toUnsignedString(headerBytes), StrictJson.MAX_BYTES));
        }
        long dataStart = LENGTH.byteSize() + headerBytes;
        if (dataStart > bytes) {
            throw new ConfigException("%s: %s bytes, expected at least %s for length and header: the file is truncated"
                    .formatted(file, bytes, dataStart));
        }
        byte[] json = mapping.asSlice(LENGTH.byteSize(), headerBytes).toArray(JAVA_BYTE);
        MemorySegment data = mapping.asSlice(dataStart);
        return new SafetensorsFile(file, Header.parse(file, json, data.byteSize()), data);
    }

    private static MemorySegment map(Path file, Arena arena) {
        try (FileChannel channel = FileChannel.open(RegularFile.require(file, "a safetensors file"))) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            throw new ConfigException("%s: cannot be read: %s".formatted(file, e), e);
        }
    }

    @Override
    public SequencedSet<String> names() {
        return Collections.unmodifiableSequencedSet(
                new LinkedHashSet<>(header.tensors().keySet()));
    }

    @Override
    public boolean contains(String name) {
        return header.tensors().containsKey(name);
    }

    @Override
    public HostTensor tensor(String name) {
        Header.Entry entry = entry(name);
        MemorySegment bytes = data.asSlice(entry.begin(), entry.end() - entry.begin());
        return entry.type()
                .dtype()
                .map(dtype -> HostTensor.wrap(bytes, dtype, entry.shape()))
                .orElseThrow(() -> new ConfigException("%s: tensor '%s' is %s, expected a type Layerwise computes with"
                        .formatted(file, name, entry.type())));
    }

    @Override
    public Path file(String name) {
        var _ = entry(name);
        return file;
    }

    /** The free text of the header's {@code __metadata__}. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    private Header.Entry entry(String name) {
        Header.Entry entry = header.tensors().get(name);
        if (entry == null) {
            throw new ConfigException("%s: no tensor '%s' among %s%s"
                    .formatted(
                            file,
                            name,
                            header.tensors().size(),
                            NearestNames.hint(name, header.tensors().keySet())));
        }
        return entry;
    }
}
