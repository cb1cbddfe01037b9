package layerwise.cuda.metrics;

import java.util.Arrays;
import layerwise.trace.TraceRecorder;

/** Samples until the recording is written; for one thread at a time. */
final class SampleLog {
    private long[] times = new long[1024];
    private long[] values = new long[1024];
    private byte[] metrics = new byte[1024];
    private int size;

    /**
     * Adds a sample.
     *
     * @param time nanoseconds since the session's start
     */
    void add(Metric metric, long time, long value) {
        if (size == times.length) {
            int capacity = Math.multiplyExact(size, 2);
            times = Arrays.copyOf(times, capacity);
            values = Arrays.copyOf(values, capacity);
            metrics = Arrays.copyOf(metrics, capacity);
        }
        times[size] = time;
        values[size] = value;
        metrics[size] = (byte) metric.id();
        size++;
    }

    /** Moves everything to a recorder that knows the names. */
    void drainTo(TraceRecorder recorder, int gpu) {
        for (int i = 0; i < size; i++) {
            recorder.gpuMetric(times[i], gpu, metrics[i], values[i]);
        }
        size = 0;
    }
}
