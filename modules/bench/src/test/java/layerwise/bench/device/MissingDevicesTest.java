package layerwise.bench.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is missing for a run on CUDA is one line and status 2: whole processes, on libraries that a C compiler makes. */
class MissingDevicesTest {
    @TempDir
    static Path folder;

    private record Outcome(int status, List<String> err) {}

    @BeforeAll
    static void makeLibraries() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/gcc")), "no C compiler");
        assumeTrue(System.getProperty("jdk.module.path") != null, "not on a module path");
        Path source =
                Path.of(MissingDevicesTest.class.getResource("fake_cuda.c").toURI());
        Path library = Files.createDirectories(folder.resolve("all/lib64")).resolve("libcudart.so.13");
        Process gcc = new ProcessBuilder(
                        "gcc",
                        "-shared",
                        "-fPIC",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-o",
                        library.toString(),
                        source.toString())
                .inheritIO()
                .start();
        assertEquals(0, gcc.waitFor());
        Files.copy(library, folder.resolve("all/lib64/libcublasLt.so.13"));
        Files.copy(
                library,
                Files.createDirectories(folder.resolve("runtime/lib64")).resolve("libcudart.so.13"));
        Path damaged = Files.createDirectories(folder.resolve("damaged/lib64"));
        Files.writeString(damaged.resolve("libcudart.so.13"), "not a library");
    }

    private static Outcome run(String home, String mode, Map<String, String> environment, String... options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=org.xerial.sqlitejdbc,layerwise.bindings,layerwise.cuda",
                "--illegal-native-access=deny",
                "-Dlayerwise.home=" + System.getProperty("layerwise.home"),
                "--module-path",
                System.getProperty("jdk.module.path"),
                "--module",
                "layerwise.bench/layerwise.bench.Main",
                "run",
                "quickstart.yaml",
                "--device",
                "cuda"));
        command.addAll(List.of(options));
        Path err = folder.resolve("err.txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(err.toFile());
        builder.environment().put("LAYERWISE_CUDA_HOME", folder.resolve(home).toString());
        builder.environment().put("PROFILE_DIR", folder.toString());
        builder.environment().put("FAKE_CUDA", mode);
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS), "it hangs");
        // The phases that went before are told on the same stream.
        List<String> lines = Files.readAllLines(err, StandardCharsets.UTF_8).stream()
                .filter(line -> !line.startsWith("Layer-wise benchmarks: ") && !line.startsWith("MoE backend"))
                .toList();
        return new Outcome(process.exitValue(), lines);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "no-driver|no CUDA driver is loaded",
                "old-driver|cudaErrorInsufficientDriver (35)",
                "no-gpu|cudaErrorNoDevice (100): no CUDA-capable device is detected",
                "old-gpu|device 0 (NVIDIA Fake) has compute capability 8.0; there are kernels for sm_90a",
                "no-memory|cudaMalloc: cudaErrorMemoryAllocation (2): out of memory; asked ",
                "no-memory|free 3.2 GB on device 0",
            })
    void isOneLineAndStatusTwo(String mode, String part) throws Exception {
        Outcome outcome = run("all", mode, Map.of("PROFILE", "0"));
        assertRefused(outcome, part);
    }

    @ParameterizedTest
    @CsvSource({"no-driver", "no-gpu", "old-gpu"})
    void whatIsNoGpuForUsNamesTheOtherDevices(String mode) throws Exception {
        assertRefused(run("all", mode, Map.of("PROFILE", "0")), "--device reference", "estimate:<gpu>");
    }

    @Test
    void aLibraryThatIsMissingIsNamed() throws Exception {
        Outcome outcome = run("runtime", "", Map.of("PROFILE", "0"));
        assumeTrue(outcome.err().stream().anyMatch(line -> line.contains("cannot be loaded")), "cuBLASLt is installed");
        assertRefused(outcome, "cuBLASLt (libcublasLt.so.13) cannot be loaded, so no matrix products");
    }

    @Test
    void aDamagedLibraryIsPassedOverForTheNext() throws Exception {
        Outcome outcome = run("damaged", "", Map.of("PROFILE", "0"));
        assumeTrue(outcome.status() != 0, "there is a GPU");
        assertRefused(outcome);
    }

    private static void assertRefused(Outcome outcome, String... parts) {
        assertEquals(2, outcome.status(), outcome.err().toString());
        assertEquals(1, outcome.err().size(), outcome.err().toString());
        for (String part : parts) {
            assertTrue(outcome.err().getFirst().contains(part), outcome.err() + " lacks " + part);
        }
    }
}
