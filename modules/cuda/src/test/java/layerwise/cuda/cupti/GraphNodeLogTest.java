package layerwise.cuda.cupti;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import layerwise.trace.TraceFile;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphNodeLogTest {
    private static final long ORIGIN = 1_700_000_000_000_000_000L;

    @TempDir
    Path folder;

    @Test
    void writesCreationsAndClonesSinceTheSessionsStart() {
        TraceRecorder recorder =
                TraceRecorder.start(new TraceProcess(1234, "layerwise", List.of(), "layerwise test"), () -> ORIGIN);
        GraphNodeLog log = new GraphNodeLog();
        log.add(7, ORIGIN + 50, 1L << 32, 0);
        log.add(7, ORIGIN + 60, 2L << 32, 0);
        log.add(7, ORIGIN + 61, 2L << 32, 1L << 32);
        log.drainTo(recorder);
        log.drainTo(recorder); // nothing twice
        Path file = folder.resolve("trace.sqlite");
        recorder.kernel("k", 7, 1, 2L << 32, 100, 200);
        recorder.write(file);
        TraceFile trace = TraceFile.open(file);
        int process = trace.activities().process(0);
        int captured = trace.graphNodes().captured(process, 2L << 32);
        assertEquals(50, trace.graphNodes().start(captured));
    }

    @Test
    void survivesACallbackThatCannotBeRead() {
        GraphNodeLog log = new GraphNodeLog();
        log.callback(13, MemorySegment.NULL);
        assertEquals(1, log.failures());
    }

    @Test
    void passesOverOtherCallbacks() {
        GraphNodeLog log = new GraphNodeLog();
        log.callback(9, MemorySegment.NULL);
        assertEquals(0, log.failures());
    }
}
