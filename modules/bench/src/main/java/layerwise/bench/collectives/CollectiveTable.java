package layerwise.bench.collectives;

import java.util.Locale;
import layerwise.bench.config.Statistics;

/** The rows as text. */
final class CollectiveTable {
    private static final String FORMAT = "  %-13s %8s %-6s %-6s %10s %10s %10s %9s %9s %7s  %s";

    private CollectiveTable() {}

    static String head() {
        String names = String.format(
                Locale.ROOT,
                FORMAT,
                "collective",
                "bytes",
                "by",
                "mode",
                "median",
                "min",
                "max",
                "alg GB/s",
                "bus GB/s",
                "% link",
                "algorithm");
        return "#" + names.substring(1);
    }

    static String line(TimedCollective row) {
        Statistics micros = row.statistics();
        return String.format(
                Locale.ROOT,
                FORMAT,
                row.shape().collective(),
                row.shape().bytes(),
                row.carrier(),
                row.mode(),
                number("%.2f", micros.median()),
                number("%.2f", micros.min()),
                number("%.2f", micros.max()),
                number("%.2f", row.algorithmBandwidth()),
                number("%.2f", row.busBandwidth()),
                number("%.1f", 100 * row.linkShare()),
                row.algorithm());
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
    }
}
