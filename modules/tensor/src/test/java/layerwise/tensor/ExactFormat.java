package layerwise.tensor;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A small float format by its definition: what the codecs are checked against, sharing nothing with them.
 *
 * <p>{@code (-1)^s · 2^(e-bias) · (1 + m/2^M)}, and {@code (-1)^s · 2^(1-bias) · m/2^M} where {@code e} is 0, in exact
 * decimals.
 *
 * @param largest the code of the largest finite value; codes above it, without their sign, are infinity or NaN
 * @param infinite whether the code after {@code largest} is infinity
 * @param overflows whether values that round beyond {@code largest} become infinity, rather than {@code largest}
 */
record ExactFormat(int exponentBits, int mantissaBits, int bias, int largest, boolean infinite, boolean overflows) {
    static final ExactFormat E4M3 = new ExactFormat(4, 3, 7, 0x7E, false, false);
    static final ExactFormat E5M2 = new ExactFormat(5, 2, 15, 0x7B, true, false);
    static final ExactFormat E2M1 = new ExactFormat(2, 1, 1, 0x7, false, false);
    static final ExactFormat BF16 = new ExactFormat(8, 7, 127, 0x7F7F, true, true);
    static final ExactFormat F16 = new ExactFormat(5, 10, 15, 0x7BFF, true, true);

    int codes() {
        return 2 << (exponentBits + mantissaBits);
    }

    boolean isNegative(int code) {
        return code >= codes() / 2;
    }

    int magnitude(int code) {
        return code & (codes() / 2 - 1);
    }

    boolean isNaN(int code) {
        return magnitude(code) > largest + (infinite ? 1 : 0);
    }

    boolean isInfinite(int code) {
        return infinite && magnitude(code) == largest + 1;
    }

    /** The exact value of a finite code; -0 comes out as 0. */
    BigDecimal value(int code) {
        int mantissa = magnitude(code) & ((1 << mantissaBits) - 1);
        int exponent = magnitude(code) >> mantissaBits;
        BigDecimal fraction = BigDecimal.valueOf(mantissa).multiply(twoToThe(-mantissaBits));
        BigDecimal value = exponent == 0
                ? fraction.multiply(twoToThe(1 - bias))
                : fraction.add(BigDecimal.ONE).multiply(twoToThe(exponent - bias));
        return isNegative(code) ? value.negate() : value;
    }

    /** The values of the codes 0 to {@code largest}, ascending, and last the next that the exponent could go on to. */
    double[] grid() {
        return IntStream.rangeClosed(0, largest + 1)
                .mapToDouble(code -> value(code).doubleValue())
                .toArray();
    }

    /** The code nearest to a number, by comparing distances to its neighbours on the grid; ties go to the even code. */
    int nearest(double[] grid, float number) {
        double magnitude = Math.abs((double) number);
        int found = Arrays.binarySearch(grid, magnitude);
        int code = found;
        if (found < 0) {
            int above = Math.min(-found - 1, grid.length - 1);
            double toAbove = grid[above] - magnitude;
            double toBelow = magnitude - grid[above - 1];
            code = toAbove < toBelow || (toAbove == toBelow && above % 2 == 0) ? above : above - 1;
        }
        if (code > largest && !overflows && !Float.isInfinite(number)) {
            code = largest;
        }
        if (Float.isInfinite(number)) {
            code = infinite ? largest + 1 : largest;
        }
        return Math.copySign(1f, number) < 0 ? code + (codes() / 2) : code;
    }

    private static BigDecimal twoToThe(int exponent) {
        BigDecimal power = BigDecimal.TWO.pow(Math.abs(exponent));
        return exponent < 0 ? BigDecimal.ONE.divide(power) : power;
    }
}
