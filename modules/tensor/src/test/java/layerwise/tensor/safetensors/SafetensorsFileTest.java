package layerwise.tensor.safetensors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
    private static final String TWO = """
            {"__metadata__":{"format":"pt"},\
            "layers.0.weight":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},\
            "layers.0.bias":{"dtype":"F32","shape":[2,1],"data_offsets":[3,11]}}""";

    @TempDir
    Path folder;

    private SafetensorsFile open(Arena arena, String header, int dataBytes) {
        return SafetensorsFile.open(
                SafetensorsBytes.write(folder.resolve("t.safetensors"), SafetensorsBytes.of(header, dataBytes)), arena);
    }

    /** The message of the refusal, after the file's name, which it must begin with. */
    private String refusal(byte[] bytes) {
        Path file = SafetensorsBytes.write(folder.resolve("t.safetensors"), bytes);
        try (Arena arena = Arena.ofConfined()) {
            String message = assertThrows(ConfigException.class, () -> SafetensorsFile.open(file, arena))
                    .getMessage();
            assertTrue(message.startsWith(file + ": "), message);
            return message.substring(file.toString().length() + 2);
        }
    }

    @Test
    void givesTensorsInHeaderOrderAtAnyAlignment() {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = open(arena, TWO, 11);
            assertEquals(List.of("layers.0.weight", "layers.0.bias"), List.copyOf(file.names()));
            assertEquals(Map.of("format", "pt"), file.metadata());
            assertArrayEquals(
                    new float[] {0, 1, 2}, file.tensor("layers.0.weight").copyToFloats());
            HostTensor bias = file.tensor("layers.0.bias");
            assertEquals(Shape.of(2, 1), bias.shape());
            assertEquals(Float.intBitsToFloat(0x06050403), bias.get(0, 0));
            assertEquals(Float.intBitsToFloat(0x0A090807), bias.get(1, 0));
        }
    }

    @Test
    void tensorsAreReadOnlyAndEndWithTheArena() {
        HostTensor weight;
        try (Arena arena = Arena.ofConfined()) {
            weight = open(arena, TWO, 11).tensor("layers.0.weight");
            assertThrows(IllegalArgumentException.class, () -> weight.set(1, 0));
        }
        assertThrows(IllegalStateException.class, () -> weight.get(0));
    }

    @ParameterizedTest
    @CsvSource({
        "F32,F32,4",
        "F16,F16,2",
        "BF16,BF16,2",
        "F8_E4M3,E4M3,1",
        "F8_E5M2,E5M2,1",
        "F8_E8M0,UE8M0,1",
        "I32,I32,4",
        "I8,I8,1",
        "U8,I8,1"
    })
    void readsEveryType(String name, DType dtype, int bytes) {
        try (Arena arena = Arena.ofConfined()) {
            String header =
                    "{\"t\":{\"dtype\":\"%s\",\"shape\":[5],\"data_offsets\":[0,%d]}}".formatted(name, 5 * bytes);
            HostTensor tensor = open(arena, header, 5 * bytes).tensor("t");
            assertEquals(dtype, tensor.dtype());
            assertEquals(5L * bytes, tensor.memory().byteSize());
            assertEquals(3 * bytes, tensor.slice(0, 3, 5).memory().get(JAVA_BYTE, 0));
        }
    }

    @Test
    void packedBytesReinterpretAsFloat4() {
        try (Arena arena = Arena.ofConfined()) {
            String header = "{\"t\":{\"dtype\":\"U8\",\"shape\":[2,4],\"data_offsets\":[0,8]}}";
            HostTensor packed = open(arena, header, 8).tensor("t").reinterpret(DType.E2M1, 2, 8);
            assertEquals(0.5f, packed.get(0, 2));
            assertEquals(6, packed.get(1, 6));
        }
    }

    @Test
    void emptyFileAndEmptyTensorsAreValid() {
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(Set.of(), open(arena, "{}", 0).names());
            String header = "{\"t\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]}}   ";
            assertEquals(Shape.of(0, 7), open(arena, header, 0).tensor("t").shape());
        }
    }

    @Test
    void typeWithoutArithmeticOpensButIsRefusedWhenAskedFor() {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = open(arena, "{\"step\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8);
            assertTrue(file.contains("step"));
            String message = assertThrows(ConfigException.class, () -> file.tensor("step"))
                    .getMessage();
            assertTrue(message.endsWith("tensor 'step' is I64, expected a type Layerwise computes with"), message);
        }
    }

    @Test
    void missingTensorNamesTheNearest() {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = open(arena, TWO, 11);
            String message = assertThrows(ConfigException.class, () -> file.tensor("layers.0.wieght"))
                    .getMessage();
            assertTrue(
                    message.endsWith("no tensor 'layers.0.wieght' among 2; nearest: layers.0.weight, layers.0.bias"),
                    message);
        }
    }

    @Test
    void checkedLookupNamesWhatWasFoundAndExpected() {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = open(arena, TWO, 11);
            assertEquals(
                    DType.F32,
                    file.tensor("layers.0.bias", Shape.of(2, 1), Set.of(DType.F32))
                            .dtype());
            String message = assertThrows(
                            ConfigException.class,
                            () -> file.tensor("layers.0.bias", Shape.of(2, 1), Set.of(DType.BF16)))
                    .getMessage();
            assertTrue(message.endsWith("tensor 'layers.0.bias' is F32 [2,1], expected BF16 [2,1]"), message);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | 7 | tensor 't' is bytes [0,8) of the data, which end at 7: the file is truncated or its header wrong
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | 9 | data are 9 bytes, expected 8: 1 bytes after the last tensor
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}} | 12 | tensor 't' is bytes [4,12) of the data, expected it to begin at 0: no tensor fills the hole
            {"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[4],"data_offsets":[3,7]}} | 7 | tensor 'b' is bytes [3,7) of the data, expected it to begin at 4: it overlaps the one before
            {"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}} | 8 | tensor 't' is F32 [3] over 8 bytes, expected 12 bytes
            {"t":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}} | 2 | tensor 't' is F4 [3] over 2 bytes, expected whole bytes
            {"t":{"dtype":"I8","shape":[4294967296,4294967296],"data_offsets":[0,8]}} | 8 | tensor 't' is I8 [4294967296,4294967296] over 8 bytes, expected a shape that fits into 63 bits
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}} | 8 | tensor 't' has data_offsets [8, 0], expected [begin,end] with begin <= end
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[8]}} | 8 | tensor 't' has data_offsets [8], expected [begin,end] with begin <= end
            {"t":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}} | 8 | header: tensor 't': data_offsets: found -8, expected whole numbers from 0 on
            {"t":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}} | 8 | header: tensor 't': shape: found 2.0, expected whole numbers from 0 on
            {"t":{"dtype":"F32","shape":2,"data_offsets":[0,8]}} | 8 | header: tensor 't': shape: found 2, expected an array of sizes
            {"t":{"dtype":"F8_E4M4","shape":[8],"data_offsets":[0,8]}} | 8 | tensor 't' has dtype 'F8_E4M4', expected one of F32 F16 BF16 F8_E4M3 F8_E5M2 F8_E8M0 F4 I32 I8 U8 BOOL I16 U16 U32 I64 U64 F64 C64; nearest: F8_E4M3, F8_E5M2, F8_E8M0
            {"t":{"dtype":32,"shape":[2],"data_offsets":[0,8]}} | 8 | header: tensor 't': dtype: found 32, expected a string
            {"t":{"shape":[2],"data_offsets":[0,8]}} | 8 | tensor 't' has only the keys [shape, data_offsets], expected dtype, shape and data_offsets
            {"t":{"dtype":"F32","shapes":[2],"data_offsets":[0,8]}} | 8 | tensor 't' has the key 'shapes', expected dtype, shape and data_offsets; nearest: shape
            {"t":[]} | 0 | header: tensor 't': found [, expected an object
            {"__metadata__":{"a":1}} | 0 | header: a: found 1, expected a string
            {"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}} | 0 | header: document: key 'a' appears twice
            {"t":{"dtype":"I8","dtype":"I8","shape":[0],"data_offsets":[0,0]}} | 0 | header: tensor 't': key 'dtype' appears twice
            {} {} | 0 | header: document: found {, expected nothing after the closing brace
            [] | 0 | header does not begin with '{': not a safetensors file
            `` | 0 | header does not begin with '{': not a safetensors file
            """)
    void refusesBrokenHeadersInOneLine(String header, int dataBytes, String complaint) {
        assertEquals(complaint, refusal(SafetensorsBytes.of(header, dataBytes)));
    }

    @Test
    void refusesFilesThatEndBeforeTheirHeader() {
        assertEquals("3 bytes, expected at least the 8 of a safetensors header length", refusal(new byte[3]));
        assertEquals(
                "10 bytes, expected at least 108 for length and header: the file is truncated",
                refusal(new byte[] {100, 0, 0, 0, 0, 0, 0, 0, '{', '}'}));
    }

    @Test
    void refusesHeadersBeyondTheLimit() {
        assertEquals(
                "header length 18446744073709551615, expected at most 100000000 bytes: not a safetensors file",
                refusal(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1}));
    }

    @Test
    void refusesHeadersThatAreNotUtf8() {
        byte[] bytes = SafetensorsBytes.of("{\"x\":0}", 0);
        bytes[10] = (byte) 0xFF;
        assertEquals("header is not UTF-8", refusal(bytes));
    }

    @Test
    void namesWithLineBreaksStayInOneLine() {
        String message = refusal(SafetensorsBytes.of("{\"a\\nb\":{}}", 0));
        assertEquals("tensor 'a b' has only the keys [], expected dtype, shape and data_offsets", message);
    }

    @Test
    void missingFileAndFolderAreRefused() {
        try (Arena arena = Arena.ofConfined()) {
            assertThrows(ConfigException.class, () -> SafetensorsFile.open(folder.resolve("none"), arena));
            assertThrows(ConfigException.class, () -> SafetensorsFile.open(folder, arena));
        }
    }
}
