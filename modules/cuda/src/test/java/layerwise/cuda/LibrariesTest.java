package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibrariesTest {
    @TempDir
    Path root;

    private final List<String> asked = new ArrayList<>();

    private Libraries libraries(Libraries.Opener opener) {
        var search = new LibrarySearch(
                Map.of("LAYERWISE_CUDA_HOME", root.resolve("home").toString()), root.resolve("usual"));
        return new Libraries(search, file -> {
            asked.add(file);
            return opener.open(file);
        });
    }

    @Test
    void takesTheFirstCandidateThatLoadsAndAsksOnce() throws IOException {
        Path damaged = Files.createFile(
                Files.createDirectories(root.resolve("home/lib64")).resolve("libcupti.so.13"));
        Libraries libraries = libraries(file -> {
            if (file.startsWith("/")) {
                throw new IOException(file + ": file too short");
            }
            return Path.of("/opt/lib/libcupti.so.13");
        });
        var loaded = new Libraries.Outcome.Loaded(Path.of("/opt/lib/libcupti.so.13"), "loader");
        assertEquals(loaded, libraries.outcome(CudaLibrary.CUPTI));
        assertEquals(loaded, libraries.outcome(CudaLibrary.CUPTI));
        assertEquals(List.of(damaged.toString(), "libcupti.so.13"), asked);
    }

    @Test
    void namesLibraryLossReasonAndPlacesInOneLine() {
        Libraries libraries = libraries(file -> {
            throw new IOException(file + ": cannot open shared object file");
        });
        var failure = assertThrows(DeviceUnavailableException.class, () -> libraries.demand(CudaLibrary.CUBLAS_LT));
        assertEquals(
                "cuBLASLt (libcublasLt.so.13) cannot be loaded, so no matrix products on a CUDA device:"
                        + " libcublasLt.so.13: cannot open shared object file; looked in LAYERWISE_CUDA_HOME="
                        + root.resolve("home") + ", CUDA_HOME (not set), the loader's path, " + root.resolve("usual")
                        + ", LAYERWISE_PYTHON_SITE (not set)",
                failure.getMessage());
    }

    @Test
    void resolvesANameAsTheLoaderDoes() throws IOException {
        Path file = DynamicLoader.load("libm.so.6");
        assertTrue(file.isAbsolute());
        assertTrue(Files.isRegularFile(file), file.toString());
    }

    @Test
    void keepsTheLoadersWords() {
        IOException failure = assertThrows(IOException.class, () -> DynamicLoader.load("libabsent.so.99"));
        assertTrue(failure.getMessage().contains("libabsent.so.99"), failure.getMessage());
    }

    @Test
    void keepsTheLoadersWordsAboutAFileThatIsNoLibrary() throws IOException {
        Path file = Files.writeString(root.resolve("libtext.so"), "not a library");
        IOException failure = assertThrows(IOException.class, () -> DynamicLoader.load(file.toString()));
        assertTrue(failure.getMessage().contains(file.toString()), failure.getMessage());
    }

    @Test
    void reportsEveryLibraryWithVersionOrReason() {
        LibraryReport report = LibraryReport.take();
        assertEquals(
                List.of(CudaLibrary.values()),
                report.entries().stream().map(LibraryReport.Entry::library).toList());
        for (LibraryReport.Entry entry : report.entries()) {
            assertEquals(entry.file().isEmpty(), entry.version().isEmpty(), entry.toString());
            assertEquals(entry.file().isPresent(), entry.problem().isEmpty(), entry.toString());
        }
        assertEquals(report.entries().size() + 1, report.lines().size());
        assertFalse(
                report.lines().stream().anyMatch(line -> line.contains("\n")),
                report.lines().toString());
    }

    @Test
    void readsVersionsOfSixDigits() {
        assertEquals("13.1.0", LibraryReport.ofSixDigits(130_100));
        assertEquals("13.0.1", LibraryReport.ofSixDigits(130_001));
    }
}
