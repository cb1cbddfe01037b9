package layerwise.report.html;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import layerwise.report.profile.ProblemProfile;
import layerwise.report.profile.Profile;
import layerwise.trace.GpuMetric;

/**
 * Samples for the page's script, on an axis of milliseconds since the first measured run: at most {@value #POINTS} points
 * a metric, each the least, mean and greatest of the samples that fall together.
 */
final class MetricData {
    private static final int POINTS = 400;
    private static final double MILLI = 1e6;

    private final Profile profile;
    private final JsonGenerator json;
    private final long origin;
    private final long end;

    private MetricData(Profile profile, JsonGenerator json) {
        this.profile = profile;
        this.json = json;
        origin = profile.problems().stream()
                .mapToLong(problem -> problem.window().start())
                .min()
                .orElse(0);
        end = profile.problems().stream()
                .mapToLong(problem -> problem.window().end())
                .max()
                .orElse(0);
    }

    static void write(Profile profile, JsonGenerator json) throws IOException {
        MetricData data = new MetricData(profile, json);
        json.writeArrayFieldStart("metrics");
        for (GpuMetric metric : profile.metrics().series()) {
            if (!metric.isBits()) {
                data.metric(metric.between(data.origin, data.end));
            }
        }
        json.writeEndArray();
        json.writeArrayFieldStart("windows");
        for (ProblemProfile problem : profile.problems()) {
            json.writeStartArray();
            data.time(problem.window().start());
            data.time(problem.window().end());
            json.writeString(problem.title());
            json.writeEndArray();
        }
        json.writeEndArray();
    }

    private void metric(GpuMetric metric) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", metric.name());
        json.writeNumberField("gpu", metric.gpu());
        json.writeArrayFieldStart("points");
        int size = metric.size();
        int points = Math.min(size, POINTS);
        for (int point = 0; point < points; point++) {
            point(metric, (int) ((long) size * point / points), (int) ((long) size * (point + 1) / points));
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void point(GpuMetric metric, int from, int to) throws IOException {
        long min = Long.MAX_VALUE;
        long max = Long.MIN_VALUE;
        double sum = 0;
        for (int sample = from; sample < to; sample++) {
            min = Math.min(min, metric.value(sample));
            max = Math.max(max, metric.value(sample));
            sum += metric.value(sample);
        }
        json.writeStartArray();
        time(metric.time(from));
        json.writeNumber(min);
        json.writeNumber(Math.round(sum / (to - from) * 10) / 10.0);
        json.writeNumber(max);
        json.writeEndArray();
    }

    private void time(long nanos) throws IOException {
        json.writeNumber(Math.round((nanos - origin) / MILLI * 1000) / 1000.0);
    }
}
