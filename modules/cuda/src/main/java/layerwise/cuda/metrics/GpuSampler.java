package layerwise.cuda.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import layerwise.cuda.DeviceInfo;
import layerwise.tensor.LayerwiseException;
import layerwise.trace.TraceRecorder;

/**
 * Samples one GPU on a thread of its own from start to stop: every 10 ms what NVML tells, every 0.1 ms the counters of
 * the GPU where the driver allows that.
 */
public final class GpuSampler {
    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int PERIODS_A_FETCH = 5; // fetching counters costs milliseconds, however few there are

    private final DeviceInfo gpu;
    private final TraceRecorder recorder;
    private final SampleLog log = new SampleLog();
    private final List<String> absences = new ArrayList<>();
    private final CountDownLatch started = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean running = true;

    private GpuSampler(DeviceInfo gpu, TraceRecorder recorder) {
        this.gpu = gpu;
        this.recorder = recorder;
        this.thread = Thread.ofPlatform().daemon().name("gpu-metrics").unstarted(this::sample);
    }

    /**
     * Starts sampling a GPU and returns when it has begun.
     *
     * @param recorder whose clock the samples are on, nanoseconds since 1970 for the counters
     */
    public static GpuSampler start(DeviceInfo gpu, TraceRecorder recorder) {
        GpuSampler sampler = new GpuSampler(gpu, recorder);
        sampler.thread.start();
        try {
            sampler.started.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return sampler;
    }

    private void sample() {
        Optional<NvmlReader> nvml =
                open("clocks, power, temperature and utilisation", () -> NvmlReader.open(gpu.busId()));
        Optional<CounterReader> counters =
                open("SM, tensor and DRAM activity", () -> CounterReader.open(gpu.ordinal()));
        started.countDown();
        for (int period = 1; running; period++) {
            long next = System.nanoTime() + PERIOD_NANOS;
            nvml.ifPresent(this::read);
            if (period % PERIODS_A_FETCH == 0) {
                counters = counters.filter(this::read);
            }
            LockSupport.parkNanos(this, next - System.nanoTime());
        }
        nvml.ifPresent(this::read);
        nvml.ifPresent(NvmlReader::close);
        counters.ifPresent(this::finish);
    }

    private interface Opener<T> {
        T open();
    }

    private <T> Optional<T> open(String what, Opener<T> opener) {
        try {
            return Optional.of(opener.open());
        } catch (LayerwiseException e) {
            absences.add(what + ": " + e.getMessage());
            return Optional.empty();
        }
    }

    private void read(NvmlReader nvml) {
        nvml.read((metric, value) -> log.add(metric, recorder.now(), value));
    }

    /** Returns whether to go on; after a failure there would only be gaps. */
    private boolean read(CounterReader counters) {
        try {
            boolean more = true;
            while (more) {
                more = counters.read((metric, end, value) -> log.add(metric, recorder.sinceStart(end), value));
            }
            return true;
        } catch (LayerwiseException e) {
            absences.add(String.format(
                    Locale.ROOT,
                    "SM, tensor and DRAM activity after %.1f s: %s",
                    recorder.now() / 1e9,
                    e.getMessage()));
            close(counters);
            return false;
        }
    }

    private void finish(CounterReader counters) {
        try {
            counters.stop();
        } catch (LayerwiseException e) {
            absences.add("the last of SM, tensor and DRAM activity: " + e.getMessage());
        }
        if (read(counters)) {
            close(counters);
        }
    }

    private static void close(CounterReader counters) {
        try {
            counters.close();
        } catch (LayerwiseException e) {
            System.getLogger(GpuSampler.class.getName())
                    .log(System.Logger.Level.WARNING, "counters stay enabled: {0}", e.getMessage());
        }
    }

    /**
     * Stops and hands the samples to the recorder.
     *
     * @return what could not be sampled and why, one sentence each
     */
    public List<String> stop() {
        running = false;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        log.drainTo(recorder, gpu.ordinal());
        return List.copyOf(absences);
    }
}
