package layerwise.bench.config;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Finite numbers as Python prints them, in no locale. */
public final class PythonFormat {
    private PythonFormat() {}

    /** {@code {:.1f}}: one digit after the point, the exact binary value rounded half to even. */
    public static String fixed1(double value) {
        return new BigDecimal(value).setScale(1, RoundingMode.HALF_EVEN).toPlainString();
    }

    /** {@code repr}: the shortest digits that give the same double, such as {@code 0.5}, {@code 1.0}, {@code 1e-05}. */
    public static String repr(double value) {
        if (value == 0) {
            return "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            return shortest.scale() > 0
                    ? shortest.toPlainString()
                    : shortest.setScale(1).toPlainString();
        }
        String mantissa = shortest.movePointLeft(exponent).stripTrailingZeros().toPlainString();
        String magnitude = Integer.toString(Math.abs(exponent));
        return mantissa + (exponent < 0 ? "e-" : "e+") + (magnitude.length() < 2 ? "0" + magnitude : magnitude);
    }
}
