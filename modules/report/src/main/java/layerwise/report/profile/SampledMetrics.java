package layerwise.report.profile;

import java.util.List;
import layerwise.trace.GpuMetric;

/**
 * What was sampled of the GPUs while a trace was recorded.
 *
 * @param series samples by GPU and metric
 * @param absent what was asked for and could not be sampled, with reasons
 */
public record SampledMetrics(List<GpuMetric> series, List<String> absent) {
    public SampledMetrics {
        series = List.copyOf(series);
        absent = List.copyOf(absent);
    }

    /** Whether there is nothing to tell. */
    public boolean isEmpty() {
        return series.isEmpty() && absent.isEmpty();
    }

    /** Amounts within a window, one for each metric that is not a set of bits. */
    public List<MetricSummary> summaries(Window window) {
        return series.stream()
                .filter(metric -> !metric.isBits())
                .map(metric -> MetricSummary.of(metric.between(window.start(), window.end())))
                .toList();
    }

    /** Why clocks were not at their highest within a window, one for each GPU that tells. */
    public List<ClockEvents> clockEvents(Window window) {
        return series.stream()
                .filter(ClockEvents::isTold)
                .map(metric -> ClockEvents.of(metric.between(window.start(), window.end())))
                .toList();
    }
}
