package layerwise.bench.estimate;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import layerwise.bench.config.CsvLine;

/** A sweep as CSV, RFC 4180, one line a point. */
final class SweepTable {
    private static final String HEAD = "model,run_type,layers,gpu,ranks,gpus_per_node,attention,moe_backend,batch_size,"
            + "seq_len_q,seq_len_kv_cache,estimated_us,measured_us,error_percent,latency_ms,tokens_per_second_per_gpu,"
            + "gigabytes,fits,pareto";

    private SweepTable() {}

    static String render(List<SweepPoint> points, List<SweepPoint> front) {
        Set<SweepPoint> best = new HashSet<>(front);
        StringBuilder csv = new StringBuilder(HEAD).append("\r\n");
        for (SweepPoint point : points) {
            SweepPoint.Series where = point.where();
            csv.append(CsvLine.quoted(where.model()))
                    .append(',')
                    .append(where.runType())
                    .append(',');
            csv.append(CsvLine.quoted(where.layers()))
                    .append(',')
                    .append(where.gpu())
                    .append(',');
            csv.append(where.ranks()).append(',').append(where.gpusPerNode()).append(',');
            csv.append(where.attention()).append(',').append(where.backend()).append(',');
            csv.append(point.problem().batchSize()).append(',');
            csv.append(point.problem().seqLenQ()).append(',');
            csv.append(point.problem().seqLenKvCache()).append(',');
            csv.append(number("%.1f", point.estimated())).append(',');
            csv.append(
                            point.measured().isPresent()
                                    ? number("%.1f", point.measured().getAsDouble())
                                    : "")
                    .append(',');
            csv.append(
                            point.measured().isPresent()
                                    ? number(
                                            "%.1f",
                                            100
                                                    * (point.estimated()
                                                                    / point.measured()
                                                                            .getAsDouble()
                                                            - 1))
                                    : "")
                    .append(',');
            csv.append(number("%.3f", point.latencyMillis())).append(',');
            csv.append(number("%.1f", point.throughput())).append(',');
            csv.append(number("%.1f", point.gigabytes())).append(',');
            csv.append(point.fits() ? "yes" : "no").append(',');
            csv.append(best.contains(point) ? "yes" : "no").append("\r\n");
        }
        return csv.toString();
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
