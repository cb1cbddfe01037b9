package layerwise.cuda.metrics;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import layerwise.cuda.DeviceInfo;
import layerwise.tensor.LayerwiseException;
import layerwise.trace.TraceRecorder;

/**
 * Samples one GPU from start to stop on threads of its own: every 10 ms what NVML tells, every 0.1 ms the counters of the
 * GPU where the driver allows that.
 */
public final class GpuSampler {
    private static final long NVML_PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long FETCH_PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final DeviceInfo gpu;
    private final TraceRecorder recorder;
    private final SampleLog told = new SampleLog();
    private final SampleLog counted = new SampleLog();
    private final List<String> absences = new CopyOnWriteArrayList<>();
    private final CountDownLatch started = new CountDownLatch(2);
    private final List<Thread> threads;
    private volatile boolean running = true;

    private GpuSampler(DeviceInfo gpu, TraceRecorder recorder) {
        this.gpu = gpu;
        this.recorder = recorder;
        // Fetching counters takes longer than NVML's period.
        this.threads = List.of(
                Thread.ofPlatform().daemon().name("gpu-nvml").unstarted(this::ask),
                Thread.ofPlatform().daemon().name("gpu-counters").unstarted(this::count));
    }

    /**
     * Starts sampling a GPU and returns when it has begun.
     *
     * @param recorder whose clock the samples are on, nanoseconds since 1970 for the counters
     */
    public static GpuSampler start(DeviceInfo gpu, TraceRecorder recorder) {
        GpuSampler sampler = new GpuSampler(gpu, recorder);
        sampler.threads.forEach(Thread::start);
        uninterruptibly(sampler.started::await);
        return sampler;
    }

    private void ask() {
        Optional<NvmlReader> opened =
                open("clocks, power, temperature and utilisation", () -> NvmlReader.open(gpu.busId()));
        started.countDown();
        if (opened.isEmpty()) {
            return;
        }
        try (NvmlReader nvml = opened.get()) {
            while (running) {
                long next = System.nanoTime() + NVML_PERIOD_NANOS;
                read(nvml);
                LockSupport.parkNanos(this, next - System.nanoTime());
            }
            read(nvml);
        }
    }

    private void read(NvmlReader nvml) {
        nvml.read((metric, value) -> told.add(metric, recorder.now(), value));
    }

    private void count() {
        Optional<CounterReader> opened = open("SM, tensor and DRAM activity", () -> CounterReader.open(gpu.ordinal()));
        started.countDown();
        if (opened.isEmpty()) {
            return;
        }
        try (CounterReader counters = opened.get()) {
            while (running) {
                long next = System.nanoTime() + FETCH_PERIOD_NANOS;
                fetch(counters);
                LockSupport.parkNanos(this, next - System.nanoTime());
            }
            counters.stop();
            fetch(counters);
        } catch (LayerwiseException e) {
            absences.add(String.format(
                    Locale.ROOT,
                    "SM, tensor and DRAM activity after %.1f s: %s",
                    recorder.now() / 1e9,
                    e.getMessage()));
        }
    }

    private void fetch(CounterReader counters) {
        boolean more = true;
        while (more) {
            more = counters.read((metric, end, value) -> counted.add(metric, recorder.sinceStart(end), value));
        }
    }

    private <T> Optional<T> open(String what, Supplier<T> opener) {
        try {
            return Optional.of(opener.get());
        } catch (LayerwiseException e) {
            absences.add(what + ": " + e.getMessage());
            return Optional.empty();
        }
    }

    /**
     * Stops and hands the samples to the recorder.
     *
     * @return what could not be sampled and why, one sentence each
     */
    public List<String> stop() {
        running = false;
        threads.forEach(LockSupport::unpark);
        threads.forEach(thread -> uninterruptibly(thread::join));
        for (Metric metric : Metric.values()) {
            recorder.gpuMetricName(gpu.ordinal(), metric.id(), metric.title());
        }
        told.drainTo(recorder, gpu.ordinal());
        counted.drainTo(recorder, gpu.ordinal());
        return List.copyOf(absences);
    }

    private interface Waiting {
        void await() throws InterruptedException;
    }

    /** Waits to the end whatever happens, and keeps an interruption for the caller. */
    private static void uninterruptibly(Waiting waiting) {
        boolean interrupted = false;
        while (true) {
            try {
                waiting.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
