package layerwise.bench.run;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import layerwise.cuda.DeviceInfo;
import layerwise.cuda.metrics.GpuSampler;
import layerwise.trace.GpuMetric;
import layerwise.trace.TraceFile;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;

/** Samples a GPU at a PCI location for a moment, prints what could not be sampled and then each metric of the trace. */
final class GpuSamplerProgram {
    private GpuSamplerProgram() {}

    public static void main(String[] arguments) throws InterruptedException {
        DeviceInfo gpu =
                new DeviceInfo(2, "Fake", 9, 0, 1, 1, 1, 1, 1, 1, 8, new UUID(1, 2), arguments[0], "13.0", "13.0");
        TraceRecorder recorder = TraceRecorder.start(TraceProcess.current("test", List.of(), "layerwise test"));
        recorder.mark("module");
        GpuSampler sampler = GpuSampler.start(gpu, recorder);
        Thread.sleep(300);
        sampler.stop().forEach(absence -> System.out.println("absent: " + absence));
        Path file = Path.of(arguments[1]);
        recorder.write(file);
        for (GpuMetric metric : TraceFile.open(file).gpuMetrics()) {
            int last = metric.size() - 1;
            System.out.printf(
                    "%s of GPU %d: %d samples, %d to %d, in order %b%n",
                    metric.name(),
                    metric.gpu(),
                    metric.size(),
                    metric.value(0),
                    metric.value(last),
                    metric.time(0) < metric.time(last));
        }
    }
}
