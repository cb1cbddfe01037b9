package layerwise.report.profile;

import layerwise.trace.CostRecord;

/**
 * The operator behind a row.
 *
 * @param number   of the launched operator in its problem's sequence, from 0; rows of one launch share it
 * @param operator what the trace says about it
 * @param share    the row's part of the launch's time
 */
public record Launch(int number, CostRecord operator, double share) {
    /** The row's part of the operator's least work. */
    public Cost cost() {
        return Cost.of(operator, share);
    }
}
