package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import layerwise.bench.config.MoeBackend;
import layerwise.bench.verify.MoeCase.RouterKind;
import layerwise.bench.verify.MoeCase.Width;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.kernels.CudaExecutor;
import layerwise.kernels.CudaOptions;
import layerwise.op.Communicator;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.op.WeightFormat;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Mixtures of experts on a GPU against the reference, with the tolerances of {@code verify}, over combinations of backend,
 * format, size and routing. Each method, and each format of the matrix, runs alone where time is short.
 */
@Tag("gpu")
class MoeIT {
    private static final List<Integer> TOKENS = List.of(1, 3, 17, 128, 1024, 8193);

    /** Experts of a case up to which weights are made and copied to the host in a second or two. */
    private static final long EXPERT_BYTES = 3_000_000_000L;

    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    private static void check(List<MoeCase> cases) {
        try (Executor device = CudaExecutor.open(0, Journal.NONE, CudaOptions.plain(), Communicator.alone(), false)) {
            MoeRun run = new MoeRun(device);
            cases.forEach(run::check);
            assertEquals(List.of(), run.conclude());
        }
    }

    private static boolean isAffordable(MoeCase one) {
        return one.expertBytes() <= EXPERT_BYTES;
    }

    /** The parts of one matrix: pairs with a format are in that format's part. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "FP8_BLOCK", "NVFP4"})
    void everyPair(WeightFormat format) {
        check(MoeMatrix.of(TOKENS, List.of(Width.values()), MoeIT::isAffordable).stream()
                .filter(one -> one.format() == format)
                .toList());
    }

    /** Ranks whose experts nobody chose, in every way of launching: every kernel with no rows at all. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "FP8_BLOCK", "NVFP4"})
    void noRows(WeightFormat format) {
        check(List.of(
                one(MoeBackend.CUTLASS, format, 17, 64, 8, TokenRouting.LOWER_HALF, Width.SMALL, 4),
                one(MoeBackend.VANILLA, format, 1, 64, 8, TokenRouting.LOWER_HALF, Width.SMALL, 4),
                one(MoeBackend.CUTLASS, format, 8193, 512, 10, TokenRouting.LOWER_HALF, Width.SMALL, 4)));
    }

    /** Shares that end beside the edges of tiles of 8 to 128 rows, all on few of many experts. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "FP8_BLOCK", "NVFP4"})
    void edgesOfTiles(WeightFormat format) {
        check(List.of(7, 8, 9, 31, 33, 63, 64, 65, 127, 129, 257, 513).stream()
                .map(tokens ->
                        one(MoeBackend.CUTLASS, format, tokens, 512, 10, TokenRouting.ALL_ON_LAST, Width.SMALL, 1))
                .toList());
    }

    /** NVFP4 experts of 9 to 32 rows: blocks take two tiles of weights, of which the second may be missing. */
    @ParameterizedTest
    @EnumSource(names = {"BALANCED", "SKEWED"})
    void twoTilesOfWeights(TokenRouting routing) {
        List<MoeCase> cases = new ArrayList<>();
        for (int topK : List.of(6, 8, 10)) {
            cases.add(one(MoeBackend.CUTLASS, WeightFormat.NVFP4, 1024, 512, topK, routing, Width.SMALL, 1));
            cases.add(one(MoeBackend.CUTLASS, WeightFormat.NVFP4, 1024, 512, topK, routing, Width.ODD, 1));
            cases.add(one(MoeBackend.CUTLASS, WeightFormat.NVFP4, 128, 64, topK, routing, Width.FULL, 1));
        }
        check(cases);
    }

    /** More than 2^31 elements in rows, and in a matrix of results. */
    @Test
    void rowsBeyondThirtyTwoBits() {
        check(List.of(
                one(MoeBackend.CUTLASS, WeightFormat.FP8_BLOCK, 30_011, 16, 10, TokenRouting.BALANCED, Width.FULL, 1)));
    }

    /** One small case of every launch, for a run under compute-sanitizer. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "FP8_BLOCK", "NVFP4"})
    void smallShapes(WeightFormat format) {
        check(List.of(
                one(MoeBackend.CUTLASS, format, 33, 8, 6, TokenRouting.SKEWED, Width.SMALL, 1),
                one(MoeBackend.CUTLASS, format, 3, 8, 6, TokenRouting.SKEWED, Width.ODD, 1),
                one(MoeBackend.VANILLA, format, 17, 8, 6, TokenRouting.BALANCED, Width.ODD, 4)));
    }

    private static MoeCase one(
            MoeBackend backend,
            WeightFormat format,
            int tokens,
            int experts,
            int topK,
            TokenRouting routing,
            Width width,
            int ranks) {
        return new MoeCase(backend, format, tokens, experts, topK, routing, RouterKind.SIGMOID_GROUPS, width, ranks);
    }
}
