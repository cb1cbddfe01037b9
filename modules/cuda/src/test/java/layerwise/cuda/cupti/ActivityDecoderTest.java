package layerwise.cuda.cupti;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import layerwise.trace.TraceFile;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From records as CUPTI lays them out to the file, without CUPTI. */
class ActivityDecoderTest {
    private static final long ORIGIN = 1_700_000_000_000_000_000L;
    private static final int RUNTIME = 5;
    private static final int DRIVER = 4;

    @TempDir
    Path folder;

    private final Arena arena = Arena.ofConfined();
    private final TraceRecorder recorder =
            TraceRecorder.start(new TraceProcess(1234, "layerwise", List.of(), "layerwise test"), () -> ORIGIN);
    private final ActivityDecoder decoder =
            new ActivityDecoder(recorder, (driver, id) -> (driver ? "cuDriver_" : "cudaRuntime_") + id, id -> 0);

    @AfterEach
    void freeRecords() {
        arena.close();
    }

    private void call(int kind, int callbackId, int correlationId, long start) {
        MemorySegment record = arena.allocate(40, 8);
        int[] head = {kind, callbackId};
        MemorySegment.copy(head, 0, record, JAVA_INT, 0, 2);
        record.set(JAVA_LONG, 8, ORIGIN + start);
        record.set(JAVA_LONG, 16, ORIGIN + start + 5);
        int[] tail = {1234, 77, correlationId, 0};
        MemorySegment.copy(tail, 0, record, JAVA_INT, 24, 4);
        decoder.decode(record);
    }

    private void kernel(String name, int correlationId, long start, long end) {
        MemorySegment record = arena.allocate(216, 8);
        record.set(JAVA_INT, 0, 10);
        record.set(JAVA_LONG, 16, start == 0 ? 0 : ORIGIN + start);
        record.set(JAVA_LONG, 24, end == 0 ? 0 : ORIGIN + end);
        record.set(JAVA_INT, 92, correlationId);
        record.set(ValueLayout.ADDRESS, 104, arena.allocateFrom(name));
        decoder.decode(record);
    }

    private TraceFile written() {
        decoder.settle();
        Path file = folder.resolve("trace.sqlite");
        recorder.write(file);
        return TraceFile.open(file);
    }

    @Test
    void keepsOneRowForEachCallWhateverTheOrderOfItsRecords() {
        kernel("k", 1, 100, 200);
        call(DRIVER, 307, 1, 12); // made by the runtime call that is reported later
        call(RUNTIME, 211, 1, 10);
        call(DRIVER, 652, 2, 20); // made by a library
        TraceFile trace = written();
        assertEquals(2, trace.calls().size());
        assertEquals(10, trace.calls().start(0));
        assertEquals(20, trace.calls().start(1));
        assertTrue(trace.strings().containsValue("cudaRuntime_211"));
        assertTrue(trace.strings().containsValue("cuDriver_652"));
    }

    @Test
    void countsKernelsWhoseTimesWereLostAndLeavesThemOut() {
        call(RUNTIME, 211, 1, 10);
        kernel("k", 1, 0, 0);
        kernel("k", 1, 100, 200);
        TraceFile trace = written();
        assertEquals(1, decoder.withoutTime());
        assertEquals(1, trace.activities().size());
        assertEquals(100, trace.activities().start(0));
        assertEquals(200, trace.activities().end(0));
    }

    @Test
    void writesAllThreeNamesOfAKernel() {
        call(RUNTIME, 211, 1, 10);
        kernel("_ZN2at6native4fillIfEEvPT_i", 1, 100, 200);
        TraceFile trace = written();
        assertTrue(trace.strings().containsValue("_ZN2at6native4fillIfEEvPT_i"));
        assertTrue(
                trace.strings().containsValue("void at::native::fill<float>(float *, int)"),
                trace.strings().toString());
        assertTrue(trace.strings().containsValue("fill"), trace.strings().toString());
    }

    @Test
    void passesOverKindsThatNoTableHas() {
        MemorySegment record = arena.allocate(64, 8);
        record.set(JAVA_INT, 0, 999);
        decoder.decode(record);
        assertEquals(0, decoder.withoutTime());
    }
}
