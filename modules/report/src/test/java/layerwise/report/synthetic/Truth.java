package layerwise.report.synthetic;

import java.util.List;

/** What a report of a synthetic trace must show, summed up while the trace was planned. */
public record Truth(List<Problem> problems, int warmup) {
    /** One problem: nanoseconds, means over the measured runs. */
    public record Problem(
            String title, int runs, List<Row> rows, double overlap, double space, double total, double busy) {}

    /** One kernel at its place in the sequence. */
    public record Row(List<String> path, String fullName, String shortName, double nanos, double end) {}
}
