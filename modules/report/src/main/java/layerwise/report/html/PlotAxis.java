package layerwise.report.html;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;

/**
 * An axis of a plot: where values stand, and which of them are written beside it.
 *
 * @param least       value at its start
 * @param most        value at its end
 * @param logarithmic whether equal distances are equal factors
 * @param start       place of {@code least} in the image
 * @param end         place of {@code most}
 */
record PlotAxis(double least, double most, boolean logarithmic, double start, double end, List<Tick> ticks) {
    private static final double DECADE = 10;
    private static final double BETWEEN_NUMBERS = 46; // room for 131072
    private static final double BETWEEN_TIMES = 22;

    /** A value with a line across the image, and what is written beside it. */
    record Tick(double value, String label) {}

    /** An axis of counts: batch sizes and lengths are mostly powers of two, so its ticks are; {@code k} is 1,024. */
    static PlotAxis ofCounts(double least, double most, double start, double end) {
        double length = Math.abs(end - start);
        if (isLogarithmic(least, most)) {
            double margin = Math.pow(most / least, 0.04);
            PlotAxis bare = new PlotAxis(least / margin, most * margin, true, start, end, List.of());
            int step = (int) Math.max(1, Math.ceil(BETWEEN_NUMBERS * Math.log(most / least) / Math.log(2) / length));
            List<Tick> ticks = new ArrayList<>();
            for (int power = 0; Math.scalb(1.0, power) <= bare.most; power += step) {
                ticks.add(new Tick(Math.scalb(1.0, power), count(1L << power)));
            }
            return bare.with(ticks);
        }
        double margin = Math.max((most - least) * 0.04, 0.04);
        PlotAxis bare = new PlotAxis(least - margin, most + margin, false, start, end, List.of());
        long step = 1;
        while (step * length / (most - least) < BETWEEN_NUMBERS) {
            step *= 2;
        }
        List<Tick> ticks = new ArrayList<>();
        for (long value = 0; value <= bare.most; value += step) {
            ticks.add(new Tick(value, step < 1024 ? String.valueOf(value) : count(value)));
        }
        return bare.with(ticks);
    }

    /** An axis of times: ticks at 1, 2 and 5 times powers of ten; it begins at 0 unless it is logarithmic. */
    static PlotAxis ofTimes(double least, double most, double start, double end) {
        double length = Math.abs(end - start);
        List<Tick> ticks = new ArrayList<>();
        if (isLogarithmic(least, most)) {
            double margin = Math.pow(most / least, 0.06);
            PlotAxis bare = new PlotAxis(least / margin, most * margin, true, start, end, List.of());
            double decade = length / Math.log10(bare.most / bare.least);
            int[] digits = decade * Math.log10(2) < BETWEEN_TIMES ? new int[] {1} : new int[] {1, 2, 5};
            for (int power = (int) Math.floor(Math.log10(bare.least)); Math.pow(DECADE, power) <= bare.most; power++) {
                for (int digit : digits) {
                    ticks.add(time(digit * Math.pow(DECADE, power)));
                }
            }
            return bare.with(ticks);
        }
        PlotAxis bare = new PlotAxis(0, most * 1.06, false, start, end, List.of());
        double step = step(2 * BETWEEN_TIMES * bare.most / length);
        for (int i = 0; i * step <= bare.most; i++) {
            ticks.add(time(i * step));
        }
        return bare.with(ticks);
    }

    /** More than a decade, of values that have logarithms. */
    private static boolean isLogarithmic(double least, double most) {
        return least > 0 && most > DECADE * least;
    }

    /** The least of 1, 2 and 5 times a power of ten that is not below. */
    private static double step(double least) {
        double power = Math.pow(DECADE, Math.floor(Math.log10(least)));
        for (int digit : new int[] {1, 2, 5}) {
            if (digit * power >= least) {
                return digit * power;
            }
        }
        return DECADE * power;
    }

    private PlotAxis with(List<Tick> all) {
        List<Tick> inside = all.stream()
                .filter(tick -> tick.value() >= least && tick.value() <= most)
                .toList();
        return new PlotAxis(least, most, logarithmic, start, end, inside);
    }

    /** Where a value stands in the image. */
    double at(double value) {
        double part = logarithmic ? Math.log(value / least) / Math.log(most / least) : (value - least) / (most - least);
        return start + (end - start) * part;
    }

    /** Whether a label stands for a multiple of 1,024 or more. */
    boolean isAbbreviated() {
        return ticks.stream()
                .anyMatch(tick -> tick.label().endsWith("k") || tick.label().endsWith("M"));
    }

    private static String count(long value) {
        if (value == 0 || value % 1024 != 0) {
            return String.valueOf(value);
        }
        return value % (1024 * 1024) == 0 ? value / 1024 / 1024 + "M" : value / 1024 + "k";
    }

    private static Tick time(double value) {
        if (value >= 1e6) {
            return new Tick(value, plain(value / 1e6) + "M");
        }
        return new Tick(value, value >= 1000 ? plain(value / 1000) + "k" : plain(value));
    }

    private static String plain(double value) {
        BigDecimal short6 = new BigDecimal(value, new MathContext(6));
        return short6.signum() == 0 ? "0" : short6.stripTrailingZeros().toPlainString();
    }
}
