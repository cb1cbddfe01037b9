package layerwise.report.profile;

import java.util.LinkedHashMap;
import java.util.Map;
import layerwise.trace.GpuMetric;

/**
 * Why a GPU's clocks were not at their highest.
 *
 * @param gpu       number of the GPU
 * @param samples   how many samples there are
 * @param throttled in how many the GPU was slowed down by power or heat
 * @param reasons   in how many each reason was given, by name
 */
public record ClockEvents(int gpu, int samples, int throttled, Map<String, Integer> reasons) {
    private static final String METRIC = "Clock Event Reasons [bits]";

    /** nvml.h: nvmlClocksEventReasons. */
    private enum Reason {
        IDLE(0x1, "idle", false),
        APPLICATION_CLOCKS(0x2, "clocks set by a user", false),
        SOFTWARE_POWER_CAP(0x4, "software power cap", true),
        HARDWARE_SLOWDOWN(0x8, "hardware slowdown", true),
        SYNC_BOOST(0x10, "sync boost", false),
        SOFTWARE_THERMAL(0x20, "software thermal slowdown", true),
        HARDWARE_THERMAL(0x40, "hardware thermal slowdown", true),
        POWER_BRAKE(0x80, "power brake", true),
        DISPLAY_CLOCKS(0x100, "display clocks", false);

        private final long bit;
        private final String title;
        private final boolean throttles;

        Reason(long bit, String title, boolean throttles) {
            this.bit = bit;
            this.title = title;
            this.throttles = throttles;
        }
    }

    /** Whether a metric tells reasons. */
    static boolean isTold(GpuMetric metric) {
        return metric.name().equals(METRIC);
    }

    static ClockEvents of(GpuMetric metric) {
        Map<String, Integer> reasons = new LinkedHashMap<>();
        int throttled = 0;
        for (int i = 0; i < metric.size(); i++) {
            boolean slowed = false;
            for (Reason reason : Reason.values()) {
                if ((metric.value(i) & reason.bit) != 0) {
                    reasons.merge(reason.title, 1, Integer::sum);
                    slowed |= reason.throttles;
                }
            }
            throttled += slowed ? 1 : 0;
        }
        return new ClockEvents(metric.gpu(), metric.size(), throttled, reasons);
    }

    /** One sentence for a person. */
    public String sentence() {
        StringBuilder text = new StringBuilder("GPU ").append(gpu).append(": ");
        if (samples == 0) {
            return text.append("no sample tells whether it was throttled").toString();
        }
        text.append(throttled == 0 ? "not throttled" : "throttled in " + throttled)
                .append(throttled == 0 ? " in " : " of ")
                .append(samples)
                .append(samples == 1 ? " sample" : " samples");
        String separator = " (";
        for (Map.Entry<String, Integer> reason : reasons.entrySet()) {
            text.append(separator).append(reason.getKey()).append(": ").append(reason.getValue());
            separator = ", ";
        }
        return text.append(reasons.isEmpty() ? "" : ")").toString();
    }
}
