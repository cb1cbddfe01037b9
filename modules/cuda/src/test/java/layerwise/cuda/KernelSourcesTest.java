package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Sources, CUBINs and manifest belong together; where they do not, {@code kernels/build.sh OP} was forgotten. */
class KernelSourcesTest {
    private static final Path KERNELS = Path.of(System.getProperty("layerwise.home"), "kernels");

    @Test
    void everyHashIsThatOfItsFile() throws IOException {
        JsonNode cubins = new ObjectMapper()
                .readTree(KERNELS.resolve("cubin/manifest.json").toFile())
                .get("cubins");
        assertFalse(cubins.isEmpty());
        for (JsonNode cubin : cubins) {
            String op = cubin.get("op").textValue();
            String command = "run kernels/build.sh " + op + ": ";
            Path file = KERNELS.resolve("cubin").resolve(cubin.get("file").textValue());
            assertEquals(cubin.get("sha256").textValue(), sha256(file), command + file.getFileName());
            cubin.get("sources")
                    .properties()
                    .forEach(source -> assertEquals(
                            source.getValue().textValue(),
                            sha256(KERNELS.resolve(source.getKey())),
                            command + source.getKey()));
            for (JsonNode symbol : cubin.get("symbols")) {
                assertEquals(
                        0,
                        symbol.get("spillBytes").intValue(),
                        symbol.get("symbol").textValue() + " spills");
            }
        }
    }

    @Test
    void everySourceIsCompiled() throws IOException {
        TreeSet<String> compiled = new TreeSet<>();
        new ObjectMapper()
                .readTree(KERNELS.resolve("cubin/manifest.json").toFile())
                .get("cubins")
                .forEach(cubin -> compiled.add(cubin.get("op").textValue()));
        try (Stream<Path> sources = Files.list(KERNELS)) {
            assertEquals(
                    sources.map(file -> file.getFileName().toString())
                            .filter(name -> name.endsWith(".cu"))
                            .map(name -> name.replace(".cu", ""))
                            .collect(Collectors.toCollection(TreeSet::new)),
                    compiled);
        }
    }

    private static String sha256(Path file) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new AssertionError(file.toString(), e);
        }
    }
}
