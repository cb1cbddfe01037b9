package layerwise.cuda.cupti;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import layerwise.bindings.cupti.cupti_h;
import layerwise.cuda.CudaLibrary;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.Libraries;
import layerwise.cuda.LibraryReport;
import layerwise.trace.TraceProcess;
import org.junit.jupiter.api.Test;

class CuptiTracerTest {
    @Test
    void isUnavailableInOneLineWhereThereIsNoDriver() {
        assumeTrue(LibraryReport.take().driverVersion().isEmpty(), "this machine has a CUDA driver");
        TraceProcess process = TraceProcess.current("layerwise", List.of(), "layerwise test");
        var failure = assertThrows(
                DeviceUnavailableException.class, () -> CuptiTracer.start(process, CuptiTracer.Backtraces.OFF));
        assertFalse(failure.getMessage().contains("\n"), failure.getMessage());
    }

    @Test
    void readsTheClockThatCuptiReads() {
        assumeTrue(Libraries.has(CudaLibrary.CUPTI), "this machine has no libcupti");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stamp = arena.allocate(ValueLayout.JAVA_LONG);
            long before = EpochClock.nanos();
            assertEquals(0, cupti_h.cuptiGetTimestamp(stamp));
            long after = EpochClock.nanos();
            long cupti = stamp.get(ValueLayout.JAVA_LONG, 0);
            assertTrue(before <= cupti && cupti <= after, before + " <= " + cupti + " <= " + after);
        }
    }

    @Test
    void asksCuptiForTheNamesOfCalls() {
        assumeTrue(Libraries.has(CudaLibrary.CUPTI), "this machine has no libcupti");
        CallNames names = CallNames.ofCupti();
        assertEquals("cudaLaunchKernel_v7000", names.name(false, 211));
        assertEquals("cudaGraphLaunch_v10000", names.name(false, 311));
        assertEquals("cuLaunchKernelEx", names.name(true, 652));
    }

    @Test
    void knowsTheThreadAsTheSystemNumbersIt() {
        assertEquals(OsThread.id(), OsThread.id());
        assertTrue(OsThread.id() > 0);
    }
}
