package layerwise.kernels;

import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.Optional;
import layerwise.cuda.CudaLibrary;
import layerwise.cuda.Device;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.Libraries;
import layerwise.cuda.Nccl;
import layerwise.cuda.NcclCommunicator;
import layerwise.cuda.PeerGroup;
import layerwise.cuda.PeerTopology;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllMethod;
import layerwise.op.Communicator;
import layerwise.op.Journal;
import layerwise.tensor.DType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Collectives by NCCL, as of GPUs that do not reach each other's memory; with one rank, which is what one GPU allows. */
@Tag("gpu")
class NcclCollectivesIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int REPLAYS = 10;

    @BeforeAll
    static void needsGpuAndLibrary() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
        assumeTrue(Libraries.has(CudaLibrary.NCCL), "NCCL is not installed");
    }

    private final CollectiveChecks checks = new CollectiveChecks(
            Communicator.alone(),
            () -> CudaExecutor.open(0, Journal.NONE, CudaExecutor.Tuning.OFF, NcclCollectivesIT::links),
            REPLAYS,
            CollectiveChecks.SHAPES);

    private static GpuLinks links(Device device) {
        return new GpuLinks(
                new CarrierRule(1, new PeerTopology(false, false, false), true),
                Optional.empty(),
                PeerGroup.join(device, 0, 1, PATIENCE, Communicator.alone()::allGather),
                Optional.of(NcclCommunicator.join(device, Nccl.createId(), 0, 1, PATIENCE)));
    }

    @Test
    void allReduces() {
        checks.allReduce();
    }

    @Test
    void scattersSums() {
        checks.reduceScatter();
    }

    @Test
    void gathers() {
        checks.allGather();
    }

    @Test
    void dispatches() {
        checks.dispatch(AllToAllMethod.DEEP_EP);
    }

    @Test
    void combinesWhatCameHome() {
        checks.combine(AllToAllMethod.DEEP_EP, DType.BF16, AllToAllCombine.Wire.STORED);
        checks.combine(AllToAllMethod.DEEP_EP, DType.BF16, AllToAllCombine.Wire.FP8);
    }
}
