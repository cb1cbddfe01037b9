package layerwise.bench.operators;

import java.util.Locale;
import layerwise.bench.config.Statistics;

/** The rows as text. */
final class OperatorTable {
    private static final String FORMAT = "  %-22s %-40s %6s %-7s %10s %-7s %10s %10s %10s %7s %8s %8s  %s";

    private OperatorTable() {}

    static String head() {
        String names = String.format(
                Locale.ROOT,
                FORMAT,
                "operator",
                "shape",
                "copies",
                "cache",
                "limit",
                "bound",
                "median",
                "min",
                "max",
                "ratio",
                "TFLOP/s",
                "GB/s",
                "module: path");
        return "#" + names.substring(1);
    }

    static String line(TimedOperator row) {
        Statistics micros = row.statistics();
        return String.format(
                Locale.ROOT,
                FORMAT,
                row.cost().operator(),
                row.cost().shape(),
                row.copies(),
                row.cache(),
                number("%.2f", row.limit()),
                row.cost().bound().isEmpty() ? "-" : row.cost().bound(),
                number("%.2f", micros.median()),
                number("%.2f", micros.min()),
                number("%.2f", micros.max()),
                number("%.2f", row.ratio()),
                number("%.1f", row.teraflops()),
                number("%.1f", row.gigabytes()),
                (row.module().isEmpty() ? "-" : row.module()) + (row.path().isEmpty() ? "" : ": " + row.path()));
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
    }
}
