package layerwise.bench.run;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import layerwise.bench.TestClassPath;

/**
 * A shared library made by the C compiler of this machine, for processes of their own: libraries are looked for once a
 * process, so a test that wants another one needs another process.
 */
final class FakeLibrary {
    private static final Path COMPILER = Path.of("/usr/bin/gcc");

    private final Path folder;

    private FakeLibrary(Path folder) {
        this.folder = folder;
    }

    /** Compiles a C file of the test resources; skips the test where there is no compiler. */
    static FakeLibrary compile(String source, String soname, Path folder) throws IOException {
        assumeTrue(Files.isExecutable(COMPILER), "needs gcc");
        Path file = folder.resolve(source);
        try (InputStream in = FakeLibrary.class.getResourceAsStream(source)) {
            Files.write(file, in.readAllBytes());
        }
        Path library = Files.createDirectories(folder.resolve("lib64")).resolve(soname);
        output(new ProcessBuilder(
                COMPILER.toString(),
                "-shared",
                "-fPIC",
                "-Wall",
                "-Werror",
                "-o",
                library.toString(),
                file.toString()));
        return new FakeLibrary(folder);
    }

    /** Runs a class's main method in a process that finds the library first; returns the lines that it printed. */
    List<String> run(Class<?> program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                TestClassPath.java(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dlayerwise.home=" + System.getProperty("layerwise.home"),
                "-cp",
                TestClassPath.current(),
                program.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("LAYERWISE_CUDA_HOME", folder.toString());
        return output(builder).lines().toList();
    }

    private static String output(ProcessBuilder builder) throws IOException {
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError(builder.command() + " failed:\n" + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
        return output;
    }
}
