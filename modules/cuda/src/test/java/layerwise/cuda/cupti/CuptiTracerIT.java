package layerwise.cuda.cupti;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.DeviceBuffer;
import layerwise.cuda.DeviceUnavailableException;
import layerwise.cuda.GraphExec;
import layerwise.cuda.KernelLaunch;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.NeedsGpu;
import layerwise.cuda.Probe;
import layerwise.trace.ApiCalls;
import layerwise.trace.CallChains;
import layerwise.trace.GpuActivities;
import layerwise.trace.GraphNodes;
import layerwise.trace.NvtxRanges;
import layerwise.trace.TraceFile;
import layerwise.trace.TraceProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One session for all checks: CUPTI is happiest with one a process. */
@NeedsGpu
class CuptiTracerIT {
    private static final int REPLAYS = 3;

    @TempDir
    Path folder;

    @Test
    void followsKernelsBackToTheRangeTheyWereCapturedIn() {
        TraceProcess process = TraceProcess.current("layerwise", List.of("test"), "layerwise test");
        Path file = folder.resolve("trace.sqlite");
        try (CuptiTracer tracer = CuptiTracer.start(process, CuptiTracer.Backtraces.ON);
                Arena arena = Arena.ofConfined();
                Device device = Device.open(0)) {
            CudaStream stream = device.createStream();
            DeviceBuffer x = device.allocate(4096);
            DeviceBuffer y = device.allocate(4096);
            KernelLaunch axpy = Probe.load(device)
                    .kernel("probe_axpy_f32")
                    .prepare(arena, LaunchShape.of(4, 256))
                    .pointer(0, y)
                    .pointer(1, x)
                    .set(2, 1f)
                    .set(3, 1024);

            tracer.recorder().pushRange("eager");
            axpy.launch(stream);
            tracer.recorder().popRange();

            GraphExec exec = stream.capture(() -> {
                        tracer.recorder().pushRange("captured.first");
                        axpy.launch(stream);
                        tracer.recorder().popRange();
                        tracer.recorder().pushRange("captured.second");
                        stream.fill(x, (byte) 0);
                        axpy.launch(stream);
                        tracer.recorder().popRange();
                    })
                    .instantiate();
            for (int i = 0; i < REPLAYS; i++) {
                exec.launch(stream);
            }
            stream.synchronize();
            tracer.pause();
            axpy.launch(stream);
            stream.synchronize();
            tracer.resume();

            assertThrows(
                    DeviceUnavailableException.class,
                    () -> CuptiTracer.start(process, CuptiTracer.Backtraces.OFF),
                    "one client a process");
            TraceLoss loss = tracer.flush(device);
            assertTrue(loss.isComplete(), loss.toString());
            tracer.recorder().write(file);
        }
        check(TraceFile.open(file));
    }

    private static void check(TraceFile trace) {
        GpuActivities activities = trace.activities();
        ApiCalls calls = trace.calls();
        GraphNodes nodes = trace.graphNodes();
        NvtxRanges ranges = trace.ranges();
        CallChains chains = trace.callChains();
        int eager = 0;
        int first = 0;
        int second = 0;
        int sets = 0;
        for (int i = 0; i < activities.size(); i++) {
            assertTrue(activities.end(i) >= activities.start(i) && activities.start(i) > 0);
            int call = calls.find(activities.process(i), activities.correlation(i));
            assertTrue(call >= 0, "activity " + i + " has no call");
            assertTrue(calls.start(call) <= activities.end(i), "a call begins before what it launches has ended");
            long instant = calls.start(call);
            long thread = calls.thread(call);
            if (activities.node(i) != 0) {
                int creation = nodes.captured(activities.process(i), activities.node(i));
                assertTrue(creation >= 0, "node " + activities.node(i) + " leads to no capture");
                instant = nodes.start(creation);
                thread = nodes.thread(creation);
            }
            assertTrue(
                    chains.at(thread, instant).stream()
                            .anyMatch(frame -> frame.startsWith(CuptiTracerIT.class.getName() + ".")),
                    "frames of activity " + i + ": " + chains.at(thread, instant));
            String range = rangeAt(ranges, instant);
            if (activities.name(i) == GpuActivities.MEMSET) {
                assertEquals("captured.second", range);
                sets++;
            } else {
                assertEquals("probe_axpy_f32", trace.strings().get(activities.name(i)));
                eager += range.equals("eager") ? 1 : 0;
                first += range.equals("captured.first") ? 1 : 0;
                second += range.equals("captured.second") ? 1 : 0;
            }
        }
        assertEquals(1, eager);
        assertEquals(REPLAYS, first);
        assertEquals(REPLAYS, second);
        assertEquals(REPLAYS, sets);
        assertEquals(1 + 3 * REPLAYS, activities.size(), "what ran while paused is not recorded");
        assertTrue(trace.strings().containsValue("cudaGraphLaunch_v10000"));
        assertTrue(trace.strings().containsValue("cudaLaunchKernelExC_v11060"));
    }

    private static String rangeAt(NvtxRanges ranges, long instant) {
        for (int i = 0; i < ranges.size(); i++) {
            if (ranges.start(i) <= instant && instant <= ranges.end(i)) {
                return ranges.texts().get(ranges.textNumber(i));
            }
        }
        return "none";
    }
}
