package layerwise.bench.config;

import java.util.Arrays;
import layerwise.trace.Markers;

/**
 * Statistics of one problem's iteration times, in microseconds.
 *
 * @param mean arithmetic mean
 * @param median 50th percentile
 * @param min least time
 * @param max greatest time
 * @param p90 90th percentile
 */
public record Statistics(double mean, double median, double min, double max, double p90) {
    /**
     * Percentiles lie at index {@code p * (n - 1)} of the sorted times, interpolated linearly.
     *
     * @param micros times of the measured iterations, warm-up already dropped; left unchanged
     * @throws IllegalArgumentException if there are none
     */
    public static Statistics of(double[] micros) {
        if (micros.length == 0) {
            throw new IllegalArgumentException("no times");
        }
        double[] sorted = micros.clone();
        Arrays.sort(sorted);
        return new Statistics(
                Arrays.stream(micros).average().orElseThrow(),
                percentile(sorted, 0.5),
                sorted[0],
                sorted[sorted.length - 1],
                percentile(sorted, 0.9));
    }

    private static double percentile(double[] sorted, double share) {
        double index = share * (sorted.length - 1);
        int below = (int) index;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + ((index - below) * (sorted[above] - sorted[below]));
    }

    /** The line that every rank prints for a problem; fields are two spaces apart. */
    public String line(int rank, Problem problem) {
        StringBuilder line = head(rank, problem);
        line.append("  mean ").append(PythonFormat.fixed1(mean));
        line.append("  median ").append(PythonFormat.fixed1(median));
        line.append("  min ").append(PythonFormat.fixed1(min));
        line.append("  max ").append(PythonFormat.fixed1(max));
        line.append("  P90 ").append(PythonFormat.fixed1(p90));
        return line.append("  (us)").toString();
    }

    /** The line of a problem whose times are no results. */
    public static String untimed(int rank, Problem problem) {
        return head(rank, problem).append("  no times: ranks share a GPU").toString();
    }

    private static StringBuilder head(int rank, Problem problem) {
        StringBuilder line = new StringBuilder("[RANK ").append(rank).append(']');
        line.append("  batch_size ").append(problem.batchSize());
        line.append("  seq_len_q ").append(problem.seqLenQ());
        line.append("  seq_len_kv_cache ").append(problem.seqLenKvCache());
        problem.balanceRatio()
                .ifPresent(ratio -> line.append("  balance_ratio ").append(Markers.ratio(ratio)));
        return line;
    }
}
