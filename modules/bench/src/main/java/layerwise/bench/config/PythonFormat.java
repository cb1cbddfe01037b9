package layerwise.bench.config;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Finite numbers as Python prints them: rounded half to even on the exact binary value, in no locale. */
public final class PythonFormat {
    private PythonFormat() {}

    /** {@code {:.2g}}: two significant digits without trailing zeros, such as {@code 0.12}, {@code 1}, {@code 1e-05}. */
    public static String general2(double value) {
        if (value == 0) {
            return "0";
        }
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(2, RoundingMode.HALF_EVEN));
        return shortest(rounded, 2);
    }

    /** {@code {:.1f}}: one digit after the point. */
    public static String fixed1(double value) {
        return new BigDecimal(value).setScale(1, RoundingMode.HALF_EVEN).toPlainString();
    }

    /** {@code repr}: the shortest digits that give the same double, such as {@code 0.5}, {@code 1.0}, {@code 1e-05}. */
    public static String repr(double value) {
        if (value == 0) {
            return "0.0";
        }
        String digits = shortest(new BigDecimal(Double.toString(value)), 16);
        return digits.contains(".") || digits.contains("e") ? digits : digits + ".0";
    }

    /** Plain where {@code -4 <= exponent < bound}, else with an exponent of at least two digits. */
    private static String shortest(BigDecimal value, int bound) {
        BigDecimal stripped = value.stripTrailingZeros();
        int exponent = stripped.precision() - stripped.scale() - 1;
        if (exponent >= -4 && exponent < bound) {
            return stripped.toPlainString();
        }
        String mantissa = stripped.movePointLeft(exponent).stripTrailingZeros().toPlainString();
        String sign = exponent < 0 ? "-" : "+";
        String magnitude = Integer.toString(Math.abs(exponent));
        return mantissa + "e" + sign + (magnitude.length() < 2 ? "0" + magnitude : magnitude);
    }
}
