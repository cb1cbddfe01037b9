package layerwise.report.render;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as reports print them, the same in every locale. */
public final class Numbers {
    private Numbers() {}

    /** Nanoseconds as microseconds with one decimal. */
    public static String micros(double nanos) {
        return fixed(nanos / 1000, 1);
    }

    /**
     * A fixed number of decimals, rounded half to even from the exact binary value, as C and Python print it; Java's
     * formatter rounds the shortest decimal half up instead.
     */
    public static String fixed(double value, int decimals) {
        if (!Double.isFinite(value)) {
            return "";
        }
        BigDecimal rounded = new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN);
        boolean negativeZero = rounded.signum() == 0 && Double.doubleToRawLongBits(value) < 0;
        return (negativeZero ? "-" : "") + rounded.toPlainString();
    }

    /** A share as per cent with one decimal; empty where unknown. */
    public static String percent(double share) {
        return fixed(share * 100, 1);
    }

    /** Three significant digits or all before the point, without an exponent: 1234, 12.3, 0.0123; empty where unknown. */
    public static String significant(double value) {
        if (!Double.isFinite(value) || value == 0) {
            return fixed(value, 0);
        }
        return fixed(value, Math.clamp(2 - (int) Math.floor(Math.log10(Math.abs(value))), 0, 12));
    }

    /** Aligns to the right in a column of this width. */
    public static String right(String text, int width) {
        return String.format(Locale.ROOT, "%" + width + "s", text);
    }
}
