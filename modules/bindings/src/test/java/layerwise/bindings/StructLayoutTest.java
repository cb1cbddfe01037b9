package layerwise.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemoryLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The layouts that jextract computed are the C compiler's: {@code native-headers/layouts.c} printed the figures. */
class StructLayoutTest {
    static List<String> figures() throws IOException {
        try (InputStream in = StructLayoutTest.class.getResourceAsStream("layouts.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("figures")
    void agreesWithTheCompiler(String figure) throws ReflectiveOperationException {
        String[] words = figure.split(" ");
        String[] member = words[1].split("\\.");
        Class<?> struct = Class.forName("layerwise.bindings." + words[0] + "." + member[0]);
        long bytes = member.length == 1
                ? ((MemoryLayout) struct.getMethod("layout").invoke(null)).byteSize()
                : (long) struct.getMethod(member[1] + "$offset").invoke(null);
        assertEquals(Long.parseLong(words[2]), bytes);
    }
}
