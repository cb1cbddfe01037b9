package layerwise.cuda.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import layerwise.cuda.CudaStream;
import layerwise.cuda.Device;
import layerwise.cuda.DeviceBuffer;
import layerwise.cuda.NeedsGpu;
import layerwise.trace.GpuMetric;
import layerwise.trace.TraceFile;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NeedsGpu
class GpuSamplerIT {
    private static final long BYTES = 1L << 30;

    @TempDir
    Path folder;

    private static final class Samples {
        private final List<GpuMetric> metrics;

        Samples(Path file) {
            metrics = TraceFile.open(file).gpuMetrics();
        }

        private double mean(Metric wanted) {
            GpuMetric metric = metrics.stream()
                    .filter(candidate -> candidate.name().equals(wanted.title()))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(wanted + " was not sampled"));
            double sum = 0;
            for (int i = 0; i < metric.size(); i++) {
                sum += metric.value(i);
            }
            return sum / metric.size();
        }
    }

    @Test
    void seesTheGpuFillItsMemory() {
        TraceRecorder recorder = TraceRecorder.start(TraceProcess.current("test", List.of(), "layerwise test"));
        List<String> absences;
        try (Device device = Device.open(0)) {
            CudaStream stream = device.createStream();
            DeviceBuffer buffer = device.allocate(BYTES);
            recorder.mark("module");
            GpuSampler sampler = GpuSampler.start(device.info(), recorder);
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(500);
            while (System.nanoTime() < end) {
                stream.fill(buffer, (byte) 1);
                stream.synchronize();
            }
            absences = sampler.stop();
            sampler = GpuSampler.start(device.info(), recorder); // a second time in one process
            assertEquals(absences, sampler.stop());
        }
        Path file = folder.resolve("trace.sqlite");
        recorder.write(file);
        Samples samples = new Samples(file);
        System.getLogger("test").log(System.Logger.Level.INFO, "not sampled: {0}", absences);
        assertTrue(samples.mean(Metric.SM_CLOCK) > 100, "MHz");
        assertTrue(samples.mean(Metric.POWER) > 30_000, "mW");
        assertTrue(samples.mean(Metric.TEMPERATURE) > 10 && samples.mean(Metric.TEMPERATURE) < 110, "degrees");
        if (absences.isEmpty()) {
            double written = samples.mean(Metric.DRAM_WRITE);
            assertTrue(written > 20 && written <= 100, written + " % of the memory's rate while it is being filled");
            assertTrue(samples.mean(Metric.DRAM_READ) < written);
            assertTrue(samples.mean(Metric.SMS_ACTIVE) > 20, "% active while filling");
        } else {
            assertEquals(1, absences.size(), absences.toString());
            assertTrue(absences.getFirst().startsWith("SM, tensor and DRAM activity: "), absences.toString());
        }
    }
}
