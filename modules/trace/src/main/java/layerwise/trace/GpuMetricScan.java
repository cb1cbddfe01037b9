package layerwise.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads sampled metrics. Ids of metrics differ between versions and GPUs, so names decide. */
final class GpuMetricScan {
    private static final String SAMPLES = "GPU_METRICS";
    private static final String NAMES = "TARGET_INFO_GPU_METRICS";
    private static final int GPU_BITS = 0xFF; // of typeId: the GPU's number

    private final Database database;

    GpuMetricScan(Database database) {
        this.database = database;
    }

    private record Key(long type, int metric) {}

    /** Samples of one metric as they come. */
    private static final class Growing {
        private long[] times = new long[256];
        private long[] values = new long[256];
        private int size;

        void add(long time, long value) {
            if (size == times.length) {
                times = Arrays.copyOf(times, Math.multiplyExact(size, 2));
                values = Arrays.copyOf(values, Math.multiplyExact(size, 2));
            }
            times[size] = time;
            values[size++] = value;
        }
    }

    List<GpuMetric> read() {
        boolean sampled = database.columns(SAMPLES).containsAll(List.of("timestamp", "typeId", "metricId", "value"))
                && database.columns(NAMES).containsAll(List.of("typeId", "metricId", "metricName"));
        if (!sampled) {
            return List.of();
        }
        Map<Key, Growing> samples = new HashMap<>();
        database.scan(
                "SELECT typeId, metricId, timestamp, value FROM " + SAMPLES + " ORDER BY timestamp",
                row -> samples.computeIfAbsent(new Key(row.getLong(1), row.getInt(2)), first -> new Growing())
                        .add(row.getLong(3), row.getLong(4)));
        List<GpuMetric> metrics = new ArrayList<>();
        database.scan(
                "SELECT DISTINCT typeId, metricId, metricName FROM " + NAMES + " ORDER BY typeId, metricId", row -> {
                    Growing of = samples.get(new Key(row.getLong(1), row.getInt(2)));
                    if (of != null) {
                        metrics.add(new GpuMetric(
                                (int) (row.getLong(1) & GPU_BITS),
                                Database.text(row, 3),
                                Arrays.copyOf(of.times, of.size),
                                Arrays.copyOf(of.values, of.size)));
                    }
                });
        return metrics;
    }
}
