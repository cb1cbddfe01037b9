package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibrarySearchTest {
    @TempDir
    Path root;

    private String library(String folder) throws IOException {
        Path file = Files.createDirectories(root.resolve(folder)).resolve("libx.so.13");
        return Files.createFile(file).toString();
    }

    @Test
    void asksHomesThenTheLoaderThenTheUsualPlaceThenPython() throws IOException {
        String ours = library("ours/lib64");
        String home = library("home/lib");
        String usual = library("usual/extras/CUPTI/lib64");
        String runtime = library("site/nvidia/cuda_runtime/lib");
        String cublas = library("site/nvidia/cublas/lib");
        var search = new LibrarySearch(
                Map.of(
                        "CUDA_HOME", root.resolve("home").toString(),
                        "LAYERWISE_CUDA_HOME", root.resolve("ours").toString(),
                        "LAYERWISE_PYTHON_SITE", root.resolve("site").toString()),
                root.resolve("usual"));
        List<LibrarySearch.Candidate> expected = List.of(
                new LibrarySearch.Candidate("LAYERWISE_CUDA_HOME", ours),
                new LibrarySearch.Candidate("CUDA_HOME", home),
                new LibrarySearch.Candidate("loader", "libx.so.13"),
                new LibrarySearch.Candidate(root.resolve("usual").toString(), usual),
                new LibrarySearch.Candidate("LAYERWISE_PYTHON_SITE", cublas),
                new LibrarySearch.Candidate("LAYERWISE_PYTHON_SITE", runtime));
        assertEquals(expected, search.candidates("libx.so.13"));
    }

    @Test
    void asksTheLoaderAloneWhereNothingIsSetOrPresent() {
        var search = new LibrarySearch(
                Map.of(
                        "CUDA_HOME",
                        "",
                        "LAYERWISE_PYTHON_SITE",
                        root.resolve("absent").toString()),
                root.resolve("usual"));
        assertEquals(List.of(new LibrarySearch.Candidate("loader", "libx.so.13")), search.candidates("libx.so.13"));
    }

    @Test
    void saysWhereItLooked() {
        var search = new LibrarySearch(Map.of("CUDA_HOME", "/opt/cuda"), Path.of("/usr/local/cuda"));
        assertEquals(
                "LAYERWISE_CUDA_HOME (not set), CUDA_HOME=/opt/cuda, the loader's path, /usr/local/cuda,"
                        + " LAYERWISE_PYTHON_SITE (not set)",
                search.places());
    }
}
