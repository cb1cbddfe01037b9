package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.op.Activations;
import layerwise.op.Buffer;
import layerwise.op.Communicator;
import layerwise.op.Contents;
import layerwise.op.Execution;
import layerwise.op.GatherRows;
import layerwise.op.Journal;
import layerwise.op.Lane;
import layerwise.op.Linear;
import layerwise.op.Memory;
import layerwise.op.Program;
import layerwise.op.Replay;
import layerwise.op.Step;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("gpu")
class CudaExecutorIT {
    private static final TensorRef X = Buffer.of("x", DType.BF16, 64, 256).whole();
    private static final TensorRef W = Buffer.of("w", DType.BF16, 512, 256).whole();
    private static final TensorRef Y = Buffer.of("y", DType.BF16, 64, 512).whole();
    private static final Program PRODUCT =
            new Program(List.of(new Step.Launch(new Linear(X, Weight.plain(W), Y), Lane.MAIN)), List.of(Y));

    @TempDir
    Path folder;

    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    private static float[] product(CudaOptions options, boolean captured) {
        try (Arena arena = Arena.ofConfined();
                CudaExecutor executor = CudaExecutor.open(0, Journal.NONE, options, Communicator.alone(), false);
                Memory memory = executor.allocate()) {
            memory.put(X.buffer(), new Contents.Uniform(-1, 1, 1));
            memory.put(W.buffer(), new Contents.Uniform(-1, 1, 2));
            try (Execution execution = executor.prepare(PRODUCT, memory);
                    Replay replay = captured ? execution.capture() : Replay.eager(execution)) {
                assertEquals(1, execution.weightPaths().size());
                replay.launch();
                executor.synchronize();
                return execution.memory().read(Y, arena).copyToFloats();
            }
        }
    }

    private CudaOptions tuned() {
        return new CudaOptions(CudaOptions.Tuning.ON, Optional.of(folder.resolve("cache")), false);
    }

    @Test
    void theNextRunTakesTheAlgorithmsThatWereKept() throws IOException {
        float[] first = product(tuned(), false);
        String kept = Files.readString(folder.resolve("cache"));
        assertTrue(kept.contains("\"512x64x256 TN BF16*BF16->BF16"), kept);
        FileTime written = FileTime.fromMillis(1_000_000_000_000L);
        Files.setLastModifiedTime(folder.resolve("cache"), written);
        assertArrayEquals(first, product(tuned(), true));
        assertEquals(written, Files.getLastModifiedTime(folder.resolve("cache")), "tuned and written again");
    }

    @Test
    void capturedEagerAndSynchronisedRunsAgree() {
        float[] eager = product(CudaOptions.plain(), false);
        assertArrayEquals(eager, product(CudaOptions.plain(), true));
        assertArrayEquals(eager, product(new CudaOptions(CudaOptions.Tuning.OFF, Optional.empty(), true), true));
    }

    /** Copies of the same operands in memories of their own, one of them twice, in one graph. */
    @Test
    void executionsCapturedTogetherLeaveWhatEachLeavesAlone() {
        try (Arena arena = Arena.ofConfined();
                CudaExecutor executor =
                        CudaExecutor.open(0, Journal.NONE, CudaOptions.plain(), Communicator.alone(), false);
                Memory memory = executor.allocate();
                Memory other = executor.allocate()) {
            assertTrue(executor.cacheBytes().orElseThrow() > 1 << 20);
            memory.put(X.buffer(), new Contents.Uniform(-1, 1, 1));
            memory.put(W.buffer(), new Contents.Uniform(-1, 1, 2));
            other.put(X.buffer(), new Contents.CopyOf(memory));
            other.put(W.buffer(), new Contents.CopyOf(memory));
            try (Execution first = executor.prepare(PRODUCT, memory);
                    Execution second = executor.prepare(PRODUCT, other);
                    Replay replay = executor.capture(List.of(first, second, first))) {
                assertEquals(List.of("cuBLASLt"), first.kernels());
                replay.launch();
                executor.synchronize();
                float[] expected = product(CudaOptions.plain(), false);
                assertArrayEquals(expected, first.memory().read(Y, arena).copyToFloats());
                assertArrayEquals(expected, second.memory().read(Y, arena).copyToFloats());
            }
        }
    }

    /** In a process of its own, since no work is possible on a device after an illegal access. */
    @Test
    void anOperatorThatFailsIsNamedAtOnceWhenSynchronisedAndAmongTheLastOtherwise() throws Exception {
        String early = failure("sync");
        assertTrue(early.startsWith("GatherRows 512x256: cudaStreamSynchronize: cudaError"), early);
        String late = failure("later");
        assertTrue(late.startsWith("cudaDeviceSynchronize: cudaError"), late);
        assertTrue(late.endsWith("; enqueued last: Linear, GatherRows; --sync-every-launch tells which"), late);
    }

    private static String failure(String mode) throws Exception {
        String path = System.getProperty("java.class.path");
        assumeTrue(path.contains("kernels"), "a child process needs a class path: " + path);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        path,
                        FailingOperator.class.getName(),
                        mode)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return out.strip();
    }

    /** Gathers rows from far outside of its input; prints what the failure says. */
    static final class FailingOperator {
        private FailingOperator() {}

        public static void main(String[] arguments) {
            TensorRef pairs = Buffer.of("pairs", DType.I32, 512).whole();
            TensorRef rows = Buffer.of("rows", DType.BF16, 512, 256).whole();
            Program program = new Program(
                    List.of(
                            new Step.Launch(new Linear(X, Weight.plain(W), Y), Lane.MAIN),
                            new Step.Launch(
                                    new GatherRows(Activations.plain(X), pairs, Activations.plain(rows), 8),
                                    Lane.MAIN)),
                    List.of(rows));
            boolean sync = arguments[0].equals("sync");
            CudaExecutor executor = CudaExecutor.open(
                    0,
                    Journal.NONE,
                    new CudaOptions(CudaOptions.Tuning.OFF, Optional.empty(), sync),
                    Communicator.alone(),
                    false);
            Memory memory = executor.allocate();
            memory.put(X.buffer(), new Contents.Uniform(-1, 1, 1));
            memory.put(W.buffer(), new Contents.Uniform(-1, 1, 2));
            memory.put(pairs.buffer(), new Contents.RandomBytes(128, 3, Optional.empty()));
            Execution execution = executor.prepare(program, memory);
            try {
                execution.run();
                executor.synchronize();
            } catch (OperatorException e) {
                System.out.println(e.getMessage());
            }
            Runtime.getRuntime().halt(0); // the device cannot be closed any more
        }
    }
}
