package layerwise.bench.verify;

import java.util.Locale;

/** One line of the table, and its verdict. */
record Row(String text, boolean isRight) {
    static Row of(VerifiedOutput output) {
        String name = output.output().buffer().name();
        String place = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
        Comparison comparison = output.comparison();
        return of(
                output.operator().name(),
                output.operator().label(),
                place,
                comparison.error(),
                comparison.worst(),
                comparison.isRight()
                        ? "ok"
                        : "WRONG %d elements, first %s".formatted(comparison.wrong(), comparison.example()));
    }

    /**
     * A row.
     *
     * @param error     largest absolute error, or a relative one where the shape says so
     * @param ofAllowed the same as a share of what is allowed
     * @param verdict   {@code ok}, or what is wrong
     */
    static Row of(String operator, String shape, String output, double error, double ofAllowed, String verdict) {
        String text = String.format(
                Locale.ROOT,
                "  %-22s %-30s %-24s %12.3e %12.3f  %s",
                operator,
                shape,
                output,
                error,
                ofAllowed,
                verdict);
        return new Row(text, verdict.equals("ok"));
    }
}
