package layerwise.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.SplittableRandom;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Products of small integers, so that every partial sum is exact in float32 and every result in the output type: the
 * comparison is for equality.
 */
@NeedsGpu
class MatmulPlanIT {
    private static final long SEED = 20_260_101;
    private static final long WORKSPACE = 32L << 20;

    private Arena arena;
    private Device device;
    private CudaStream stream;
    private CublasLt library;
    private DeviceBuffer workspace;

    @BeforeEach
    void open() {
        arena = Arena.ofConfined();
        device = Device.open(0);
        stream = device.createStream();
        library = CublasLt.open(device);
        workspace = device.allocate(WORKSPACE);
    }

    @AfterEach
    void close() {
        device.close();
        arena.close();
        assertEquals(0, device.liveHandles());
    }

    /** Integers from -2 to 2. */
    private HostTensor integers(SplittableRandom random, DType dtype, int elements) {
        HostTensor tensor = HostTensor.allocate(arena, dtype, elements);
        for (int i = 0; i < elements; i++) {
            tensor.set(random.nextInt(5) - 2, i);
        }
        return tensor;
    }

    private DeviceBuffer upload(HostTensor host) {
        DeviceBuffer memory = device.allocate(host.memory().byteSize());
        device.upload(host, memory, stream);
        return memory;
    }

    @ParameterizedTest
    @CsvSource({
        "1, 64, 64, BF16, F32",
        "17, 72, 40, BF16, F32",
        "128, 256, 512, BF16, F32",
        "33, 64, 64, BF16, BF16",
        "16, 32, 48, F32, F32",
        "32, 64, 128, E4M3, F32",
        "32, 64, 64, E4M3, BF16"
    })
    void multipliesLikeALinearLayer(int tokens, int outputs, int inputs, DType type, DType output) {
        SplittableRandom random = new SplittableRandom(SEED);
        HostTensor x = integers(random, type, tokens * inputs);
        HostTensor w = integers(random, type, outputs * inputs);
        DeviceBuffer y = device.allocate(output.bytes((long) tokens * outputs));
        stream.fill(y, (byte) 0xFF); // NaN in every type: an unwritten element shows
        try (MatmulPlan plan = library.plan(MatmulProblem.linear(tokens, outputs, inputs, type, output))) {
            List<MatmulAlgorithm> found = plan.heuristics(4, WORKSPACE);
            assertFalse(found.isEmpty());
            for (MatmulAlgorithm algorithm : found) {
                MatmulAlgorithm kept = MatmulAlgorithm.parse(algorithm.toHex());
                assertTrue(plan.supports(kept));
                plan.use(kept)
                        .bind(upload(w).address(), upload(x).address(), y.address(), workspace)
                        .launch(stream);
                HostTensor result = HostTensor.allocate(arena, output, tokens, outputs);
                device.download(y, result, stream);
                for (int t = 0; t < tokens; t++) {
                    for (int n = 0; n < outputs; n++) {
                        double expected = 0;
                        for (int k = 0; k < inputs; k++) {
                            expected += (double) x.get((long) t * inputs + k) * w.get((long) n * inputs + k);
                        }
                        assertEquals(expected, result.get(t, n), "y[%d,%d], seed %d".formatted(t, n, SEED));
                    }
                }
            }
        }
    }

    @Test
    void addsBatchesWithStrides() {
        int batch = 3;
        int m = 8;
        int n = 16;
        int k = 24;
        SplittableRandom random = new SplittableRandom(SEED);
        HostTensor a = integers(random, DType.BF16, batch * m * k);
        HostTensor b = integers(random, DType.BF16, batch * k * n);
        HostTensor before = integers(random, DType.F32, batch * m * n);
        DeviceBuffer d = upload(before);
        MatmulProblem problem = new MatmulProblem(
                m,
                n,
                k,
                false,
                false,
                new MatmulOperand(DType.BF16, m, (long) m * k),
                new MatmulOperand(DType.BF16, k, (long) k * n),
                new MatmulOperand(DType.F32, m, (long) m * n),
                batch,
                true,
                false,
                MatmulProblem.Scales.NONE);
        try (MatmulPlan plan = library.plan(problem)) {
            plan.use(plan.heuristics(1, WORKSPACE).getFirst())
                    .bind(upload(a).address(), upload(b).address(), d.address(), workspace)
                    .launch(stream);
        }
        HostTensor result = HostTensor.allocate(arena, DType.F32, before.shape().dim(0));
        device.download(d, result, stream);
        for (int i = 0; i < batch; i++) {
            for (int row = 0; row < m; row++) {
                for (int column = 0; column < n; column++) {
                    int at = i * m * n + column * m + row;
                    double expected = before.get(at);
                    for (int s = 0; s < k; s++) {
                        expected += (double) a.get(i * m * k + s * m + row) * b.get(i * k * n + column * k + s);
                    }
                    assertEquals(expected, result.get(at), "d[%d,%d,%d]".formatted(i, row, column));
                }
            }
        }
    }

    @Test
    void appliesScalesOfFloat8Operands() {
        int n = 64;
        SplittableRandom random = new SplittableRandom(SEED);
        HostTensor x = integers(random, DType.E4M3, n * n);
        HostTensor w = integers(random, DType.E4M3, n * n);
        HostTensor scaleW = HostTensor.copyOf(arena, DType.F32, Shape.of(1), 0.5f);
        HostTensor scaleX = HostTensor.copyOf(arena, DType.F32, Shape.of(1), 8f);
        DeviceBuffer y = device.allocate(4L * n * n);
        MatmulProblem problem =
                MatmulProblem.linear(n, n, n, DType.E4M3, DType.F32).withScales(MatmulProblem.Scales.PER_TENSOR);
        try (MatmulPlan plan = library.plan(problem)) {
            plan.bindScales(upload(scaleW).address(), upload(scaleX).address());
            plan.use(plan.heuristics(1, WORKSPACE).getFirst())
                    .bind(upload(w).address(), upload(x).address(), y.address(), workspace)
                    .launch(stream);
        }
        HostTensor result = HostTensor.allocate(arena, DType.F32, n, n);
        device.download(y, result, stream);
        double expected = 0;
        for (int k = 0; k < n; k++) {
            expected += 4.0 * x.get(5L * n + k) * w.get(9L * n + k);
        }
        assertEquals(expected, result.get(5, 9));
    }

    @Test
    void refusesALaunchWithoutAnAlgorithmOrEnoughWorkspace() {
        try (MatmulPlan plan = library.plan(MatmulProblem.linear(8, 8, 8, DType.BF16, DType.F32))) {
            plan.bind(workspace.address(), workspace.address(), workspace.address(), workspace);
            assertThrows(IllegalStateException.class, () -> plan.launch(stream));
            plan.use(new MatmulAlgorithm(new byte[MatmulAlgorithm.BYTES], WORKSPACE + 1));
            assertThrows(IllegalStateException.class, () -> plan.launch(stream));
            assertFalse(plan.supports(new MatmulAlgorithm(new byte[MatmulAlgorithm.BYTES], 0)));
        }
    }
}
