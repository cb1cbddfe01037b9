package layerwise.reference;

import layerwise.op.Operator;

/**
 * Chooses what is computed of products and attention, the operators that can take long; all others are computed whole.
 */
@FunctionalInterface
public interface Sampling {
    /** Everything. */
    Sampling NONE = (operator, rows) -> Sample.all(rows);

    /**
     * What is computed of an operator.
     *
     * @param rows of its output, along the last axis
     */
    Sample of(Operator operator, long rows);
}
