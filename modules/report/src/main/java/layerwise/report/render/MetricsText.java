package layerwise.report.render;

import java.util.ArrayList;
import java.util.List;
import layerwise.report.profile.ClockEvents;
import layerwise.report.profile.MetricSummary;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.SampledMetrics;

/** Sampled metrics as an aligned table for each problem, and whether the GPU was throttled. */
public final class MetricsText {
    private static final List<String> NAMES = List.of("# metric", "GPU", "samples", "min", "mean", "max");
    private static final List<String> UNITS = List.of("#", "", "", "", "", "");

    private MetricsText() {}

    static void append(ReportContext context, StringBuilder text) {
        SampledMetrics metrics = context.profile().metrics();
        if (metrics.isEmpty()) {
            return;
        }
        text.append('\n');
        metrics.absent()
                .forEach(absence -> text.append("Not sampled: ").append(absence).append('\n'));
        for (ProblemProfile problem : context.profile().problems()) {
            if (!metrics.series().isEmpty()) {
                append(problem, metrics, text);
            }
        }
    }

    private static void append(ProblemProfile problem, SampledMetrics metrics, StringBuilder text) {
        text.append("GPU metrics during the measured runs of \"")
                .append(problem.title())
                .append("\"\n");
        List<List<String>> lines = new ArrayList<>(List.of(NAMES, UNITS));
        metrics.summaries(problem.window()).forEach(summary -> lines.add(cells(summary)));
        ColumnText.append(lines, NAMES.size(), text);
        for (ClockEvents events : metrics.clockEvents(problem.window())) {
            text.append(events.sentence()).append('\n');
        }
    }

    /** Name with unit, GPU, samples, least, mean and greatest. */
    public static List<String> cells(MetricSummary summary) {
        return List.of(
                summary.name(),
                String.valueOf(summary.gpu()),
                String.valueOf(summary.samples()),
                Numbers.fixed(summary.min(), 0),
                Numbers.fixed(summary.mean(), 1),
                Numbers.fixed(summary.max(), 0));
    }
}
