package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Launching a captured graph from Java costs the processor what it costs from C++: {@code replay_cost.cu}, same method. */
@NeedsGpu
class GraphReplayCostIT {
    private static final int WARMUP = 5;
    private static final int BATCHES = 20;
    private static final int LAUNCHES = 100;

    /**
     * Rounds of both in turns. The least median of each counts: on a shared host medians of either vary by a factor of two
     * from minute to minute, and only the floor is the program's own.
     */
    private static final int ROUNDS = 15;

    @TempDir
    static Path folder;

    private static Path program;

    @BeforeAll
    static void compile() throws IOException, InterruptedException {
        Path nvcc = Stream.of(System.getenv("PATH").split(":"))
                .map(place -> Path.of(place, "nvcc"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(Path.of("/usr/local/cuda/bin/nvcc"));
        assumeTrue(Files.isExecutable(nvcc), "no nvcc");
        for (String file : List.of("probe.cu", "replay_cost.cu")) {
            try (InputStream in = GraphReplayCostIT.class.getResourceAsStream(file)) {
                Files.copy(in, folder.resolve(file));
            }
        }
        program = folder.resolve("replay_cost");
        run(
                nvcc.toString(),
                "-O2",
                "-arch=sm_90a",
                "-o",
                program.toString(),
                folder.resolve("replay_cost.cu").toString());
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), out);
        return out;
    }

    @ParameterizedTest
    @ValueSource(ints = {20, 200})
    void isWithinTenPercentOfTheSameReplayFromCpp(int nodes) throws IOException, InterruptedException {
        double java = Double.POSITIVE_INFINITY;
        double cpp = Double.POSITIVE_INFINITY;
        for (int round = 0; round < ROUNDS; round++) {
            cpp = Math.min(
                    cpp,
                    Double.parseDouble(run(program.toString(), Integer.toString(nodes))
                            .strip()
                            .split(" ")[1]));
            java = Math.min(java, median(nodes));
        }
        String both =
                String.format(Locale.ROOT, "replay of %d nodes: %.3f us from Java, %.3f us from C++", nodes, java, cpp);
        System.out.println(both);
        assertTrue(java <= 1.1 * cpp, both);
    }

    private static double median(int nodes) {
        try (Arena arena = Arena.ofConfined();
                Device device = Device.open(0)) {
            CudaStream stream = device.createStream();
            KernelLaunch axpy = Probe.load(device)
                    .kernel("probe_axpy_f32")
                    .prepare(arena, LaunchShape.of(4, 256))
                    .pointer(0, device.allocate(4096))
                    .pointer(1, device.allocate(4096))
                    .set(2, 1f)
                    .set(3, 1024);
            CudaGraph graph = stream.capture(() -> {
                for (int i = 0; i < nodes; i++) {
                    axpy.launch(stream);
                }
            });
            GraphExec exec = graph.instantiate();
            exec.upload(stream);
            long[] nanos = new long[BATCHES * LAUNCHES];
            for (int batch = -WARMUP; batch < BATCHES; batch++) {
                stream.synchronize();
                for (int i = 0; i < LAUNCHES; i++) {
                    long start = System.nanoTime();
                    exec.launch(stream);
                    long taken = System.nanoTime() - start;
                    if (batch >= 0) {
                        nanos[batch * LAUNCHES + i] = taken;
                    }
                }
            }
            stream.synchronize();
            Arrays.sort(nanos);
            return nanos[nanos.length / 2] / 1e3;
        }
    }
}
