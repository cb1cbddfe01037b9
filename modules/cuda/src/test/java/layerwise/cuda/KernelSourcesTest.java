package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
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
            assertEquals(cubin.get("sha256").textValue(), expandedSha256(file), command + file.getFileName());
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

    @Test
    void everyFileIsListed() throws IOException {
        TreeSet<String> listed = new TreeSet<>(Set.of("manifest.json"));
        new ObjectMapper()
                .readTree(KERNELS.resolve("cubin/manifest.json").toFile())
                .get("cubins")
                .forEach(cubin -> listed.add(cubin.get("file").textValue()));
        try (Stream<Path> files = Files.list(KERNELS.resolve("cubin"))) {
            assertEquals(
                    listed,
                    files.map(file -> file.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new)));
        }
    }

    private static String sha256(Path file) {
        try {
            return sha256(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new AssertionError(file.toString(), e);
        }
    }

    private static String expandedSha256(Path gzip) {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(gzip))) {
            return sha256(in.readAllBytes());
        } catch (IOException e) {
            throw new AssertionError(gzip.toString(), e);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
