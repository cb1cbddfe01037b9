package layerwise.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The committed bindings are exactly what the committed recipe made. */
class GeneratedFilesTest {
    private static final Path ROOT = Path.of(System.getProperty("layerwise.home"));
    private static final Set<String> RECIPE = Set.of("umbrella.h", "symbols.txt", "VERSION", "generate.sh");

    @Test
    void areTheOnesThatTheChecksumFileLists() throws IOException {
        assertEquals(listed(), present(), """
                Inputs or outputs of the generated bindings changed. Never edit them by hand; run
                    JEXTRACT=… native-headers/generate.sh
                and commit what it writes (native-headers/README.md says how to get jextract).""");
    }

    private static Map<String, String> listed() throws IOException {
        Map<String, String> sums = new TreeMap<>();
        for (String line : Files.readAllLines(ROOT.resolve("native-headers/checksums.sha256"))) {
            int gap = line.indexOf("  ");
            sums.put(line.substring(gap + 2), line.substring(0, gap));
        }
        return sums;
    }

    private static Map<String, String> present() throws IOException {
        Map<String, String> sums = new TreeMap<>();
        try (Stream<Path> recipe = Files.walk(ROOT.resolve("native-headers"));
                Stream<Path> sources = Files.walk(ROOT.resolve("modules/bindings/src/main/java"))) {
            Stream<Path> inputs = recipe.filter(GeneratedFilesTest::isRecipe);
            Stream<Path> outputs = sources.filter(GeneratedFilesTest::isGenerated);
            for (Path file : Stream.concat(inputs, outputs).toList()) {
                sums.put(ROOT.relativize(file).toString(), sha256(file));
            }
        }
        return sums;
    }

    private static boolean isRecipe(Path file) {
        return RECIPE.contains(file.getFileName().toString());
    }

    private static boolean isGenerated(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".java") && !name.equals("module-info.java") && !name.equals("package-info.java");
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
