package layerwise.report.profile;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The two-sided Mann-Whitney U test: how likely two sets of samples as far apart as these are, if both came from one
 * distribution. It compares ranks, so outliers count no more than any other sample.
 *
 * @see <a href="https://doi.org/10.1214/aoms/1177730491">Mann and Whitney 1947</a>
 */
public final class MannWhitney {
    private MannWhitney() {}

    /** The p-value by the normal approximation with corrections for ties and continuity; 1 where all values are equal. */
    public static double pValue(Samples a, Samples b) {
        int n = a.count();
        int m = b.count();
        long[] values = Arrays.copyOf(a.toArray(), n + m);
        System.arraycopy(b.toArray(), 0, values, n, m);
        int[] order = IntStream.range(0, n + m)
                .boxed()
                .sorted((x, y) -> Long.compare(values[x], values[y]))
                .mapToInt(Integer::intValue)
                .toArray();
        double rankSum = 0;
        double ties = 0;
        for (int from = 0; from < order.length; ) {
            int to = from;
            while (to < order.length && values[order[to]] == values[order[from]]) {
                to++;
            }
            double rank = (from + 1 + to) / 2.0;
            for (int i = from; i < to; i++) {
                rankSum += order[i] < n ? rank : 0;
            }
            double tied = to - from;
            ties += tied * tied * tied - tied;
            from = to;
        }
        double u = rankSum - n * (n + 1) / 2.0;
        double total = n + m;
        double variance = (double) n * m / 12 * (total + 1 - ties / (total * (total - 1)));
        if (!(variance > 0)) {
            return 1;
        }
        double z = Math.max(0, Math.abs(u - n * m / 2.0) - 0.5) / Math.sqrt(variance);
        return complementaryError(z / Math.sqrt(2));
    }

    /** erfc by Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7. */
    private static double complementaryError(double x) {
        double t = 1 / (1 + 0.3275911 * x);
        double polynomial =
                t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
        return polynomial * Math.exp(-x * x);
    }
}
