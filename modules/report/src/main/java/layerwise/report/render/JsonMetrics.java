package layerwise.report.render;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Map;
import layerwise.report.profile.ClockEvents;
import layerwise.report.profile.MetricSummary;
import layerwise.report.profile.SampledMetrics;
import layerwise.report.profile.Window;

/** Sampled metrics of one problem as fields of its JSON object; no fields where nothing was sampled. */
final class JsonMetrics {
    private JsonMetrics() {}

    static void write(SampledMetrics metrics, Window window, JsonGenerator json) throws IOException {
        if (metrics.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart("gpu_metrics");
        for (MetricSummary summary : metrics.summaries(window)) {
            json.writeStartObject();
            json.writeNumberField("gpu", summary.gpu());
            json.writeStringField("name", summary.name());
            json.writeNumberField("samples", summary.samples());
            if (summary.samples() > 0) {
                json.writeNumberField("min", summary.min());
                json.writeNumberField("mean", summary.mean());
                json.writeNumberField("max", summary.max());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("clock_events");
        for (ClockEvents events : metrics.clockEvents(window)) {
            json.writeStartObject();
            json.writeNumberField("gpu", events.gpu());
            json.writeNumberField("samples", events.samples());
            json.writeNumberField("throttled", events.throttled());
            json.writeObjectFieldStart("reasons");
            for (Map.Entry<String, Integer> reason : events.reasons().entrySet()) {
                json.writeNumberField(reason.getKey(), reason.getValue());
            }
            json.writeEndObject();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("gpu_metrics_absent");
        for (String absence : metrics.absent()) {
            json.writeString(absence);
        }
        json.writeEndArray();
    }
}
