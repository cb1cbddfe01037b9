package layerwise.report.profile;

import layerwise.trace.GpuMetric;

/**
 * One metric of one GPU within a window; without samples the amounts are NaN.
 *
 * @param gpu     number of the GPU
 * @param name    with its unit in brackets
 * @param samples how many
 * @param min     the least
 * @param mean    the mean
 * @param max     the greatest
 */
public record MetricSummary(int gpu, String name, int samples, double min, double mean, double max) {
    static MetricSummary of(GpuMetric metric) {
        double min = Double.NaN;
        double max = Double.NaN;
        double sum = 0;
        for (int i = 0; i < metric.size(); i++) {
            double value = metric.value(i);
            min = i == 0 ? value : Math.min(min, value);
            max = i == 0 ? value : Math.max(max, value);
            sum += value;
        }
        return new MetricSummary(metric.gpu(), metric.name(), metric.size(), min, sum / metric.size(), max);
    }
}
