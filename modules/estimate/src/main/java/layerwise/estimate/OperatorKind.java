package layerwise.estimate;

import java.util.Locale;
import java.util.Set;
import layerwise.op.Operator;

/**
 * Operators that one curve describes: those of one name and number format.
 *
 * @param operator name
 * @param format   of weights or cache, where the operator's label ends with one; else empty
 */
public record OperatorKind(String operator, String format) {
    private static final Set<String> FORMATS =
            Set.of("f32", "f16", "bf16", "fp8_block", "nvfp4", "e4m3", "e5m2", "fp8");

    /** The kind of an operator. */
    public static OperatorKind of(Operator operator) {
        return of(operator.name(), operator.label());
    }

    /** The kind of an operator by its name and label, as traces state them. */
    public static OperatorKind of(String name, String label) {
        String last = label.substring(label.lastIndexOf(' ') + 1).toLowerCase(Locale.ROOT);
        return new OperatorKind(name, FORMATS.contains(last) ? last : "");
    }

    /** The kind that {@link #toString} printed. */
    public static OperatorKind parse(String text) {
        int space = text.indexOf(' ');
        return space < 0
                ? new OperatorKind(text, "")
                : new OperatorKind(text.substring(0, space), text.substring(space + 1));
    }

    @Override
    public String toString() {
        return format.isEmpty() ? operator : operator + " " + format;
    }
}
