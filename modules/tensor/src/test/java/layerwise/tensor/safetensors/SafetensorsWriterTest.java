package layerwise.tensor.safetensors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    private static final SequencedMap<String, String> NONE = new LinkedHashMap<>();

    @TempDir
    Path folder;

    /** A tensor of every type, odd sizes first, so that those that follow are unaligned. */
    private static SequencedMap<String, HostTensor> everyType(Arena arena) {
        SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
        for (DType dtype : List.of(DType.values()).reversed()) {
            HostTensor tensor = HostTensor.allocate(arena, dtype, 3, 2);
            for (long i = 0; i < tensor.memory().byteSize(); i++) {
                tensor.memory().set(JAVA_BYTE, i, (byte) (17 * i + dtype.bits()));
            }
            tensors.put("t." + dtype, tensor);
        }
        return tensors;
    }

    @Test
    void whatIsWrittenReadsBackBitForBit() {
        Path file = folder.resolve("t.safetensors");
        SequencedMap<String, String> metadata = new LinkedHashMap<>();
        metadata.put("made by", "test \"ü\"\n");
        try (Arena arena = Arena.ofConfined()) {
            SequencedMap<String, HostTensor> tensors = everyType(arena);
            SafetensorsWriter.write(file, tensors, metadata);
            SafetensorsFile read = SafetensorsFile.open(file, arena);
            assertEquals(metadata, read.metadata());
            assertEquals(List.copyOf(tensors.keySet()), List.copyOf(read.names()));
            tensors.forEach((name, tensor) -> {
                assertEquals(tensor.dtype(), read.tensor(name).dtype());
                assertEquals(tensor.shape(), read.tensor(name).shape());
                assertEquals(-1, tensor.memory().mismatch(read.tensor(name).memory()), name);
            });
        }
    }

    @Test
    void dataBeginAtAMultipleOfEight() throws IOException {
        Path file = folder.resolve("t.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
            for (String name : List.of("a", "bb", "ccc")) {
                tensors.put(name, HostTensor.copyOf(arena, DType.F32, Shape.of(1), 1));
                SafetensorsWriter.write(file, tensors, NONE);
                byte[] bytes = Files.readAllBytes(file);
                long header =
                        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
                assertEquals(0, header % 8);
                assertEquals(8 + header + 4L * tensors.size(), bytes.length);
            }
        }
    }

    @Test
    void bytesAreThoseOfTheFormatAndTheSameEveryTime() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
            tensors.put("b", HostTensor.copyOf(arena, DType.I8, Shape.of(3), 0, 1, 2));
            tensors.put("a", HostTensor.copyOf(arena, DType.I8, Shape.of(1, 1), 3));
            byte[] expected = SafetensorsBytes.of("""
                    {"b":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},\
                    "a":{"dtype":"I8","shape":[1,1],"data_offsets":[3,4]}}\s\s\s\s\s""", 4);
            for (String name : List.of("one", "two")) {
                SafetensorsWriter.write(folder.resolve(name), tensors, NONE);
                assertArrayEquals(expected, Files.readAllBytes(folder.resolve(name)), StandardCharsets.UTF_8.name());
            }
        }
    }

    @Test
    void replacesAFileAndLeavesNothingElse() throws IOException {
        Path file = Files.writeString(folder.resolve("t.safetensors"), "old");
        SafetensorsWriter.write(file, new LinkedHashMap<>(), NONE);
        try (Arena arena = Arena.ofConfined();
                Stream<Path> left = Files.list(folder)) {
            assertTrue(SafetensorsFile.open(file, arena).names().isEmpty());
            assertEquals(List.of(file), left.toList());
        }
    }

    @Test
    void tensorWithGapsIsRefusedAndTheOldFileStays() throws IOException {
        Path file = Files.writeString(folder.resolve("t.safetensors"), "old");
        try (Arena arena = Arena.ofConfined()) {
            SequencedMap<String, HostTensor> tensors = new LinkedHashMap<>();
            tensors.put("t", HostTensor.allocate(arena, DType.F32, 2, 3).transpose(0, 1));
            assertThrows(IllegalStateException.class, () -> SafetensorsWriter.write(file, tensors, NONE));
        }
        assertEquals("old", Files.readString(file));
    }

    @Test
    void unwritablePlaceIsAUserErrorThatNamesTheFile() {
        Path file = folder.resolve("no/such/folder/t.safetensors");
        String message = assertThrows(
                        ConfigException.class, () -> SafetensorsWriter.write(file, new LinkedHashMap<>(), NONE))
                .getMessage();
        assertTrue(message.startsWith(file + ": cannot be written"), message);
    }
}
