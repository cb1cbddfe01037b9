package layerwise.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceRoundTripTest {
    private static final TraceProcess PROCESS = new TraceProcess(4242, "layerwise", List.of("run"), "layerwise test");

    @TempDir
    Path folder;

    private final AtomicLong clock = new AtomicLong(1_760_000_000_000_000_000L);
    private final TraceRecorder recorder = TraceRecorder.start(PROCESS, clock::get);

    private void tick(long nanos) {
        clock.addAndGet(nanos);
    }

    @Test
    void readsBackRangesWithOuterBeforeInner() {
        tick(10);
        recorder.pushRange("MoE");
        tick(0);
        recorder.pushRange("Gate");
        tick(5);
        recorder.popRange();
        tick(5);
        recorder.popRange();
        recorder.mark(Markers.ignore());
        recorder.pushRange("never closed");
        NvtxRanges ranges = write().ranges();
        assertEquals(3, ranges.size());
        assertEquals(List.of("MoE", "Gate", Markers.ignore()), texts(ranges));
        assertEquals(10, ranges.start(0));
        assertEquals(20, ranges.end(0));
        assertEquals(10, ranges.start(1));
        assertEquals(15, ranges.end(1));
        assertEquals(20, ranges.end(2));
    }

    @Test
    void keepsRangesOfThreadsApart() throws InterruptedException {
        recorder.nameThread(7);
        recorder.pushRange("here");
        Thread other = new Thread(() -> {
            recorder.nameThread(8);
            recorder.pushRange("there");
        });
        other.start();
        other.join();
        tick(3);
        recorder.popRange();
        NvtxRanges ranges = write().ranges();
        assertEquals(1, ranges.size());
        assertEquals(7, ranges.thread(0) & 0xFF_FFFF);
        assertThrows(IllegalStateException.class, recorder::popRange);
    }

    @Test
    void readsBackAnEagerLaunchWithItsKernel() {
        recorder.kernel("gemm", 3, 100, 120, 130, 190);
        recorder.kernel("norm", 0, 10, 20, 30, 40);
        TraceFile file = write();
        GpuActivities activities = file.activities();
        ApiCalls calls = file.calls();
        assertEquals(2, activities.size());
        assertEquals("norm", file.strings().get(activities.name(0)), "rows stand in order of start");
        assertEquals("gemm", file.strings().get(activities.name(1)));
        assertEquals(130, activities.start(1));
        assertEquals(190, activities.end(1));
        assertEquals(3, activities.lane(1));
        assertEquals(0, activities.node(1));
        int call = calls.find(activities.process(1), activities.correlation(1));
        assertEquals(100, calls.start(call));
        assertEquals(120, calls.end(call));
    }

    @Test
    void leadsFromAnExecutedNodeToItsCapture() {
        tick(50);
        long node = recorder.captureNode(1, 0, 0);
        tick(50);
        long correlation = recorder.nextCorrelation();
        recorder.call("replay", correlation, 100, 110, 0);
        recorder.kernel(correlation, node, "gemm", 0, 120, 130);
        TraceFile file = write();
        GpuActivities activities = file.activities();
        GraphNodes nodes = file.graphNodes();
        int capture = nodes.captured(activities.process(0), activities.node(0));
        assertEquals(50, nodes.start(capture));
        assertEquals(50, nodes.end(capture));
        assertEquals(-1, nodes.captured(activities.process(0), 12345));
    }

    @Test
    void leadsFromALaunchToItsFramesAlsoThroughACapture() {
        List<StackTraceElement> layer =
                List.of(new StackTraceElement("app", "m", "1", "Layer", "forward", "Layer.java", 12));
        List<StackTraceElement> other = List.of(new StackTraceElement("Other", "run", null, -1));
        recorder.mark("module");
        int chain = recorder.callChain(layer);
        assertEquals(chain, recorder.callChain(List.copyOf(layer)), "an equal chain is the same");
        assertEquals(0, recorder.callChain(List.of()));
        recorder.kernel("gemm", 0, 10, 20, 30, 40, chain);
        recorder.kernel("norm", 0, 21, 25, 50, 60, recorder.callChain(other));
        recorder.kernel("bare", 0, 26, 27, 70, 80);
        tick(100);
        recorder.captureNode(1, 0, chain);
        TraceFile file = write();
        CallChains chains = file.callChains();
        long thread = file.ranges().thread(0);
        assertEquals(List.of("Layer.forward (Layer.java:12)"), chains.at(thread, 10));
        assertEquals(List.of("Layer.forward (Layer.java:12)"), chains.at(thread, 20));
        assertEquals(List.of("Other.run"), chains.at(thread, 22));
        assertEquals(List.of(), chains.at(thread, 26), "a call without a chain");
        assertEquals(List.of("Layer.forward (Layer.java:12)"), chains.at(thread, 100), "inside the captured call");
        assertEquals(List.of(), chains.at(thread, 99));
        assertEquals(List.of(), chains.at(thread + 1, 10), "another thread");
    }

    @Test
    void hasNoFramesWhereNoneWereRecorded() {
        recorder.kernel("gemm", 0, 10, 20, 30, 40);
        assertTrue(write().callChains().isEmpty());
    }

    @Test
    void readsMetricsBackByGpuAndNameInOrderOfTime() {
        recorder.gpuMetricName(1, 7, "SM Clock [MHz]");
        recorder.gpuMetricName(1, 8, "Clock Event Reasons [bits]");
        recorder.gpuMetricName(1, 9, "Never Sampled [%]");
        recorder.gpuMetric(20, 1, 7, 1980);
        recorder.gpuMetric(10, 1, 7, 1755);
        recorder.gpuMetric(10, 1, 8, 4);
        recorder.gpuMetric(30, 1, 7, 345);
        List<GpuMetric> metrics = write().gpuMetrics();
        assertEquals(
                List.of("SM Clock [MHz]", "Clock Event Reasons [bits]"),
                metrics.stream().map(GpuMetric::name).toList());
        GpuMetric clock = metrics.getFirst();
        assertEquals(1, clock.gpu());
        assertEquals(3, clock.size());
        assertEquals(10, clock.time(0));
        assertEquals(1755, clock.value(0));
        assertFalse(clock.isBits());
        assertTrue(metrics.get(1).isBits());
        GpuMetric middle = clock.between(10, 29);
        assertEquals(2, middle.size());
        assertEquals(1980, middle.value(1));
        assertEquals(0, clock.between(31, 40).size());
    }

    @Test
    void keepsNotesBesideTheUsualFacts() {
        recorder.gpuMetricsAbsent("clocks: no NVML");
        recorder.gpuMetricsAbsent("activity: not allowed");
        TraceFile file = write();
        assertEquals(List.of("clocks: no NVML", "activity: not allowed"), file.absentGpuMetrics());
        assertEquals("Node", single(file, "CUDA_GRAPH_TRACE_OPTIONS:MODE"));
        assertEquals("run", single(file, "PROCESS_0:ARGUMENT_0"));
    }

    private static String single(TraceFile file, String fact) {
        return new Database(file.path()).facts("META_DATA_CAPTURE").get(fact);
    }

    @Test
    void addsCopiesAndFillsBesideKernels() {
        recorder.kernel("gemm", 0, 1, 2, 3, 4);
        CopyActivity copy = new CopyActivity();
        copy.start = 5;
        copy.end = 9;
        copy.bytes = 1 << 20;
        copy.copyKind = 8;
        copy.correlationId = 77;
        recorder.copy(copy);
        FillActivity fill = new FillActivity();
        fill.start = 11;
        fill.end = 12;
        fill.graphNodeId = 1L << 32;
        recorder.fill(fill);
        GpuActivities activities = write().activities();
        assertEquals(3, activities.size());
        assertEquals(GpuActivities.MEMCPY, activities.name(1));
        assertEquals(77, activities.correlation(1));
        assertEquals(GpuActivities.MEMSET, activities.name(2));
        assertEquals(1L << 32, activities.node(2));
    }

    @Test
    void replacesAnOlderFileInOneStep() throws IOException {
        Path target = folder.resolve("trace.sqlite");
        Files.writeString(target, "old");
        recorder.pushRange("x");
        recorder.popRange();
        recorder.write(target);
        assertEquals(1, TraceFile.open(target).ranges().size());
        try (var left = Files.list(folder)) {
            assertEquals(List.of(target), left.toList());
        }
    }

    @Test
    void namesTheMissingTableAndTheExporter() {
        recorder.pushRange("x");
        recorder.popRange();
        TraceFile file = write();
        TraceException e = assertThrows(TraceException.class, file::activities);
        assertTrue(e.getMessage().contains("table CUPTI_ACTIVITY_KIND_KERNEL is missing"), e.getMessage());
        assertTrue(e.getMessage().contains("layerwise test 2025.6.3.343, schema 3.24.8"), e.getMessage());
    }

    @Test
    void saysInOneLineWhatIsWrongWithAFile() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.sqlite"));
        Path text = Files.writeString(folder.resolve("text.sqlite"), "not a database at all");
        for (Map.Entry<Path, String> wrong : Map.of(
                        empty,
                        "is empty",
                        text,
                        "is not an SQLite file",
                        folder.resolve("missing.sqlite"),
                        "no such file")
                .entrySet()) {
            TraceException e = assertThrows(TraceException.class, () -> TraceFile.open(wrong.getKey()));
            assertTrue(e.getMessage().contains(wrong.getValue()), e.getMessage());
            assertFalse(e.getMessage().contains("\n"));
        }
    }

    @Test
    void readsAFileWhosePathNeedsEscaping() {
        recorder.pushRange("x");
        recorder.popRange();
        Path target = folder.resolve("odd name %41 ?&#ü.sqlite");
        recorder.write(target);
        assertEquals(1, TraceFile.open(target).ranges().size());
    }

    private TraceFile write() {
        Path target = folder.resolve("trace.sqlite");
        recorder.write(target);
        return TraceFile.open(target);
    }

    private static List<String> texts(NvtxRanges ranges) {
        return java.util.stream.IntStream.range(0, ranges.size())
                .mapToObj(i -> ranges.texts().get(ranges.textNumber(i)))
                .toList();
    }
}
