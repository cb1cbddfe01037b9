package layerwise.kernels;

import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.function.Consumer;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllMethod;
import layerwise.tensor.DType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Collectives of ranks that are threads of this process. Eight ranks need {@code CUDA_DEVICE_MAX_CONNECTIONS=32}, or
 * their streams wait for each other.
 */
@Tag("gpu")
class CollectivesIT {
    private static final int REPLAYS = 100;

    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    private static void onRanks(int ranks, Consumer<CollectiveChecks> check) {
        ThreadRanks.run(ranks, communicator -> check.accept(new CollectiveChecks(communicator, REPLAYS)));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 8})
    void allReduceAddsInTheOrderOfRanks(int ranks) {
        onRanks(ranks, CollectiveChecks::allReduce);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void allReduceReadsWhereTheOperatorBeforeItWrote(int ranks) {
        onRanks(ranks, CollectiveChecks::allReduceOfWhatAnOperatorMade);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 8})
    void reduceScatterGivesEachRankItsRowsOfTheSum(int ranks) {
        onRanks(ranks, CollectiveChecks::reduceScatter);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 8})
    void allGatherBringsRowsOfSeveralTensorsInTheOrderOfRanks(int ranks) {
        onRanks(ranks, CollectiveChecks::allGather);
    }

    @ParameterizedTest
    @CsvSource({
        "1, NVLINK_ONE_SIDED",
        "2, NVLINK_ONE_SIDED",
        "3, NVLINK_ONE_SIDED",
        "4, NVLINK_ONE_SIDED",
        "8, NVLINK_ONE_SIDED",
        "1, NVLINK_TWO_SIDED",
        "3, NVLINK_TWO_SIDED",
        "8, NVLINK_TWO_SIDED"
    })
    void dispatchBringsTokensToTheirExpertsRanksAndTouchesNothingElse(int ranks, AllToAllMethod method) {
        onRanks(ranks, checks -> checks.dispatch(method));
    }

    @ParameterizedTest
    @CsvSource({
        "1, NVLINK_ONE_SIDED",
        "2, NVLINK_ONE_SIDED",
        "3, NVLINK_ONE_SIDED",
        "4, NVLINK_ONE_SIDED",
        "8, NVLINK_ONE_SIDED",
        "1, DEEP_EP_LOW_LATENCY",
        "3, DEEP_EP_LOW_LATENCY",
        "8, DEEP_EP_LOW_LATENCY"
    })
    void combineAddsTheRowsOfTheRanksThatHaveExpertsAndReadsNoOther(int ranks, AllToAllMethod method) {
        onRanks(ranks, checks -> {
            checks.combine(method, DType.BF16, AllToAllCombine.Wire.STORED);
            checks.combine(method, DType.F32, AllToAllCombine.Wire.STORED);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "1, NVLINK_ONE_SIDED",
        "2, NVLINK_ONE_SIDED",
        "3, NVLINK_ONE_SIDED",
        "4, NVLINK_ONE_SIDED",
        "8, NVLINK_ONE_SIDED",
        "1, DEEP_EP_LOW_LATENCY",
        "3, DEEP_EP_LOW_LATENCY",
        "8, DEEP_EP_LOW_LATENCY"
    })
    void combineOverFp8RoundsTheRowsOfOtherRanks(int ranks, AllToAllMethod method) {
        onRanks(ranks, checks -> checks.combine(method, DType.BF16, AllToAllCombine.Wire.FP8));
    }

    @ParameterizedTest
    @EnumSource
    void everyMethodTakesTokensThereAndBack(AllToAllMethod method) {
        onRanks(4, checks -> checks.thereAndBack(method));
    }
}
