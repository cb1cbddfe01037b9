package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.kernels.CudaExecutor;
import layerwise.kernels.CudaOptions;
import layerwise.op.Communicator;
import layerwise.op.Executor;
import layerwise.op.Journal;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rows in E4M3 on a GPU against the reference: blocks cut short, gaps, rows that are not in use, what is no number. */
@Tag("gpu")
class RoundedRowsIT {
    @BeforeAll
    static void needsGpu() {
        try {
            assumeTrue(!DeviceInfo.all().isEmpty(), "the driver shows no device");
        } catch (DeviceUnavailableException e) {
            abort(e.getMessage());
        }
    }

    @Test
    void everyCase() {
        try (Executor device = CudaExecutor.open(0, Journal.NONE, CudaOptions.plain(), Communicator.alone(), false)) {
            assertEquals(List.of(), RoundedRowsCase.check(device, RoundedRowsCase.all()));
        }
    }
}
