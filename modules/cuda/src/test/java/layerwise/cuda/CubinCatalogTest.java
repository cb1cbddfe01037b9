package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.GZIPOutputStream;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;

class CubinCatalogTest {
    /** SHA-256 of the three bytes {@code abc}: FIPS 180-4, appendix B.1 of its first edition. */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    private static final String COPY = "copy.sm_90a.cubin.gz";

    private final Map<String, byte[]> files = new HashMap<>();

    private CubinCatalog catalog(String... cubins) {
        put("manifest.json", "{\"cubins\": [" + String.join(",", cubins) + "]}");
        return CubinCatalog.read(this::open);
    }

    private ByteArrayInputStream open(String file) {
        byte[] bytes = files.get(file);
        return bytes == null ? null : new ByteArrayInputStream(bytes);
    }

    private void put(String file, String text) {
        files.put(file, text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] gzip(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static String cubin(String op, String arch) {
        return """
                {"op": "%1$s", "arch": "%2$s", "file": "%1$s.%2$s.cubin.gz", "sha256": "%3$s", "flags": "-O3",
                 "symbols": [{"symbol": "%1$s_bf16", "registers": 40}, {"symbol": "%1$s_f32"}]}
                """.formatted(op, arch, ABC);
    }

    private static DeviceInfo gpu(int major, int minor) {
        return new DeviceInfo(
                0,
                "Example GPU",
                major,
                minor,
                80L << 30,
                132,
                50 << 20,
                227 << 10,
                1_980_000_000,
                2_619_000_000L,
                5120,
                new UUID(1, 2),
                "0000:01:00.0",
                "13.0",
                "13.0");
    }

    @Test
    void listsWhatTheManifestSays() {
        CubinCatalog catalog = catalog(cubin("rms_norm", "sm_90a"));
        assertEquals(
                List.of(new CubinCatalog.Cubin(
                        "rms_norm",
                        new CubinCatalog.Architecture(9, 0, true),
                        "rms_norm.sm_90a.cubin.gz",
                        ABC,
                        List.of("rms_norm_bf16", "rms_norm_f32"))),
                catalog.cubins());
    }

    @Test
    void prefersTheMostSpecificArchitectureThatRuns() {
        CubinCatalog catalog = catalog(
                cubin("copy", "sm_80"), cubin("copy", "sm_86"), cubin("copy", "sm_90"), cubin("copy", "sm_90a"));
        assertEquals(Optional.of("sm_90a"), arch(catalog, 9, 0));
        assertEquals(Optional.of("sm_80"), arch(catalog, 8, 0));
        assertEquals(Optional.of("sm_86"), arch(catalog, 8, 9));
        assertEquals(Optional.of("sm_90"), arch(catalog, 9, 1));
        assertEquals(Optional.empty(), arch(catalog, 10, 0));
        assertEquals(Optional.empty(), catalog.find("absent", 9, 0));
    }

    private static Optional<String> arch(CubinCatalog catalog, int major, int minor) {
        return catalog.find("copy", major, minor).map(cubin -> cubin.arch().toString());
    }

    @Test
    void refusesAGpuWithoutKernelsInOneLine() {
        CubinCatalog catalog = catalog(cubin("copy", "sm_90a"), cubin("rms_norm", "sm_90a"));
        catalog.requireSupport(gpu(9, 0));
        var failure = assertThrows(DeviceUnavailableException.class, () -> catalog.requireSupport(gpu(8, 9)));
        assertEquals(
                "device 0 (Example GPU) has compute capability 8.9; there are kernels for sm_90a",
                failure.getMessage());
    }

    @Test
    void givesOutBytesOnlyIfTheirHashIsTheManifests() {
        CubinCatalog catalog = catalog(cubin("copy", "sm_90a"));
        files.put(COPY, gzip("abc"));
        CubinCatalog.Cubin cubin = catalog.cubins().getFirst();
        assertArrayEquals("abc".getBytes(StandardCharsets.UTF_8), catalog.verified(cubin));
        files.put(COPY, gzip("abd"));
        var failure = assertThrows(ConfigException.class, () -> catalog.verified(cubin));
        assertTrue(failure.getMessage().startsWith(COPY + " is damaged: its CUBIN's SHA-256 is "));
        assertTrue(failure.getMessage().contains(ABC), failure.getMessage());
    }

    @Test
    void namesAFileWhoseGzipIsDamaged() {
        CubinCatalog catalog = catalog(cubin("copy", "sm_90a"));
        byte[] whole = gzip("abc");
        byte[] flipped = whole.clone();
        flipped[whole.length - 8] ^= 1; // in the checksum
        Map<String, byte[]> damaged = Map.of(
                "Not in GZIP format",
                "abc, as it is".getBytes(StandardCharsets.UTF_8),
                "Unexpected end of ZLIB input stream",
                Arrays.copyOf(whole, whole.length - 10),
                "Corrupt GZIP trailer",
                flipped);
        damaged.forEach((reason, bytes) -> {
            files.put(COPY, bytes);
            var failure = assertThrows(
                    ConfigException.class,
                    () -> catalog.verified(catalog.cubins().getFirst()));
            assertEquals(COPY + " is damaged: " + reason + "; rebuild it or reinstall", failure.getMessage());
        });
        for (int length = 0; length < whole.length; length++) {
            files.put(COPY, Arrays.copyOf(whole, length));
            var failure = assertThrows(
                    ConfigException.class,
                    () -> catalog.verified(catalog.cubins().getFirst()));
            assertTrue(
                    failure.getMessage().matches(COPY + " is damaged: [^;]+; rebuild it or reinstall"),
                    failure.getMessage());
        }
    }

    @Test
    void namesAFileThatIsMissing() {
        CubinCatalog catalog = catalog(cubin("copy", "sm_90a"));
        var failure = assertThrows(
                ConfigException.class, () -> catalog.verified(catalog.cubins().getFirst()));
        assertEquals("copy.sm_90a.cubin.gz cannot be read: no such file", failure.getMessage());
        files.clear();
        failure = assertThrows(ConfigException.class, () -> CubinCatalog.read(this::open));
        assertEquals("manifest.json cannot be read: no such file", failure.getMessage());
    }

    @Test
    void namesAKeyThatIsMissingAndAnArchitectureThatIsNone() {
        var failure = assertThrows(ConfigException.class, () -> catalog("{\"file\": \"a.cubin\"}"));
        assertTrue(failure.getMessage().startsWith("manifest.json: op is missing"));
        failure = assertThrows(ConfigException.class, () -> catalog(cubin("copy", "hopper")));
        assertEquals("manifest.json: arch=hopper is not of the form sm_90 or sm_90a", failure.getMessage());
    }

    /** What the build of the kernels writes is what this reads. */
    @Test
    void readsTheManifestOfTheShippedKernels() {
        Path folder = Path.of(System.getProperty("layerwise.home"), "kernels", "cubin");
        CubinCatalog catalog = CubinCatalog.read(file -> Files.newInputStream(folder.resolve(file)));
        assertFalse(catalog.cubins().isEmpty());
        for (CubinCatalog.Cubin cubin : catalog.cubins()) {
            assertTrue(catalog.verified(cubin).length > 0);
            assertFalse(cubin.symbols().isEmpty(), cubin.file());
        }
    }
}
