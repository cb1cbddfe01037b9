package layerwise.cuda.cupti;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import layerwise.bindings.cupti.CUpti_CallbackData;
import layerwise.trace.CallChains;
import layerwise.trace.TraceFile;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Frames as CUPTI's callbacks see them: through native code, here the C library's sort. */
@SuppressWarnings("restricted")
class CallChainLogTest {
    private static final long ORIGIN = 1_700_000_000_000_000_000L;
    private static final int EXIT = 1;

    @TempDir
    Path folder;

    private final CallChainLog log = new CallChainLog();
    private final TraceRecorder recorder =
            TraceRecorder.start(new TraceProcess(1234, "layerwise", List.of(), "layerwise test"), () -> ORIGIN);

    private int correlation;
    private int site;

    /** Stands for a launch: native code that calls back with a call's data. */
    private void launch(int correlationId, int callbackSite) throws Throwable {
        correlation = correlationId;
        site = callbackSite;
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            Comparator<MemorySegment> callback = this::compare;
            MethodHandle compare = MethodHandles.lookup()
                    .findVirtual(
                            Comparator.class, "compare", MethodType.methodType(int.class, Object.class, Object.class))
                    .bindTo(callback)
                    .asType(MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
            MemorySegment stub = linker.upcallStub(compare, FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS), arena);
            MethodHandle qsort = linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("qsort"),
                    FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS));
            qsort.invoke(arena.allocate(2L * Integer.BYTES), 2L, (long) Integer.BYTES, stub);
        }
    }

    private int compare(MemorySegment a, MemorySegment b) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = CUpti_CallbackData.allocate(arena);
            CUpti_CallbackData.callbackSite(data, site);
            CUpti_CallbackData.correlationId(data, correlation);
            log.callback(data);
        }
        return 0;
    }

    private void layer() throws Throwable {
        launch(7, 0);
    }

    @Test
    void seesTheFramesBelowTheNativeOnes() throws Throwable {
        layer();
        launch(8, 0);
        launch(9, EXIT);
        recorder.mark("module");
        for (int id = 7; id < 10; id++) {
            recorder.call("launch", id, 10L * id, 10L * id + 5, log.chain(id, recorder));
        }
        Path file = folder.resolve("trace.sqlite");
        recorder.write(file);
        TraceFile trace = TraceFile.open(file);
        CallChains chains = trace.callChains();
        long thread = trace.ranges().thread(0);

        List<String> layer = chains.at(thread, 70);
        int at = position(layer, ".launch");
        assertTrue(layer.get(at + 1).startsWith(CallChainLogTest.class.getName() + ".layer (CallChainLogTest.java:"));
        assertTrue(layer.getFirst().contains("CallChainLogTest.compare"), layer.getFirst());
        List<String> direct = chains.at(thread, 80);
        assertTrue(direct.get(position(direct, ".launch") + 1).contains("seesTheFramesBelowTheNativeOnes"));
        assertEquals(List.of(), chains.at(thread, 90), "the end of a call is not another call");
        assertEquals(0, log.failures());
    }

    @Test
    void takesOneChainWhereTheRuntimeCallsTheDriver() throws Throwable {
        layer();
        launch(7, 0); // the driver's call inside
        int chain = log.chain(7, recorder);
        assertTrue(chain > 0);
        assertEquals(chain, log.chain(7, recorder));
        assertEquals(0, log.chain(99, recorder));
    }

    @Test
    void survivesACallbackThatCannotBeRead() {
        log.callback(MemorySegment.NULL);
        assertEquals(1, log.failures());
    }

    private static int position(List<String> frames, String piece) {
        for (int i = 0; i < frames.size(); i++) {
            if (frames.get(i).contains(piece)) {
                return i;
            }
        }
        throw new AssertionError(piece + " in " + frames);
    }
}
