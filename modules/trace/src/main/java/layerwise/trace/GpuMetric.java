package layerwise.trace;

import java.util.Arrays;

/** One sampled metric of one GPU. */
public final class GpuMetric {
    private static final String BITS = "[bits]";

    private final int gpu;
    private final String name;
    private final long[] times;
    private final long[] values;

    /** Times ascend. */
    GpuMetric(int gpu, String name, long[] times, long[] values) {
        this.gpu = gpu;
        this.name = name;
        this.times = times;
        this.values = values;
    }

    /** Number of the GPU in its machine. */
    public int gpu() {
        return gpu;
    }

    /** Its name with its unit in brackets, for example {@code SMs Active [Throughput %]}. */
    public String name() {
        return name;
    }

    /** Whether a value is a set of bits rather than an amount. */
    public boolean isBits() {
        return name.endsWith(BITS);
    }

    public int size() {
        return times.length;
    }

    /** When a sample was taken, nanoseconds since the session's start. */
    public long time(int sample) {
        return times[sample];
    }

    public long value(int sample) {
        return values[sample];
    }

    /** The samples from one moment to another, both included. */
    public GpuMetric between(long from, long to) {
        int first = firstNotBefore(from);
        int last = Math.max(first, firstNotBefore(to + 1));
        return new GpuMetric(
                gpu, name, Arrays.copyOfRange(times, first, last), Arrays.copyOfRange(values, first, last));
    }

    private int firstNotBefore(long time) {
        int low = 0;
        int high = times.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (times[middle] < time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
