package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class YamlFuzzTest {
    private static final int FILES = 500;
    private static final String[] PIECES = {
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "!!int ",
        "!!binary ",
        "|\n ",
        ">\n ",
        "? ",
        "#",
        "'",
        "\"",
        "\\",
        "\t",
        "\n",
        "\r",
        "---\n",
        "...\n",
        "%YAML 9\n",
        "@",
        "`",
        "~",
        "null",
        ".nan",
        "-.inf",
        "0x1F",
        "1e999",
        "99999999999999999999",
        "-1",
        "1_000",
        "true",
        "2001-12-14",
        "<<: ",
        "\u0000",
        "\u2028",
        "\ud83d\ude00",
        "[[[[[[[[[["
    };

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void everyMutatedFileEitherResolvesOrIsRefusedInOneLine(long seed) throws IOException {
        Random random = new Random(seed);
        Path file = folder.resolve("fuzz.yaml");
        int refused = 0;
        for (int i = 0; i < FILES; i++) {
            byte[] bytes = mutated(random);
            Files.write(file, bytes);
            try {
                Resolution.of(new Settings("fuzz.yaml", YamlFile.read("fuzz.yaml", file), Map.of()))
                        .problems();
            } catch (ConfigException e) {
                refused++;
                String message = e.getMessage();
                assertEquals(1, message.lines().count(), message);
                assertTrue(message.length() < 1000, message);
                assertTrue(message.contains("fuzz.yaml"), message);
            } catch (RuntimeException | Error e) {
                throw new AssertionError(
                        "seed " + seed + ", file " + i + ":\n" + new String(bytes, StandardCharsets.UTF_8), e);
            }
        }
        assertTrue(
                refused > FILES / 2, "only " + refused + " of " + FILES + " files were refused: the fuzz is too tame");
    }

    private static byte[] mutated(Random random) {
        StringBuilder text = new StringBuilder(Configurations.GEN);
        for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
            int at = random.nextInt(text.length() + 1);
            switch (random.nextInt(3)) {
                case 0 -> text.insert(at, PIECES[random.nextInt(PIECES.length)]);
                case 1 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(8)));
                default -> text.insert(at, (char) random.nextInt(0x180));
            }
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        if (random.nextInt(10) == 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }
}
