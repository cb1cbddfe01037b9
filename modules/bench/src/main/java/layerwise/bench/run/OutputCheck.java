package layerwise.bench.run;

import layerwise.op.Operator;
import layerwise.op.Summary;
import layerwise.tensor.WrongResultException;

/** What outputs must be for a run to mean anything. */
final class OutputCheck {
    private static final String ADVICE = ", please fix weights initialization";

    private OutputCheck() {}

    /** @throws WrongResultException if there are NaNs or infinities; the message names the operator */
    static void check(Operator operator, Summary summary) {
        if (summary.nans() + summary.infinities() > 0) {
            throw new WrongResultException("%s %s: %d NaNs and %d infinities among %d elements%s"
                    .formatted(
                            operator.name(),
                            operator.label(),
                            summary.nans(),
                            summary.infinities(),
                            summary.elements(),
                            ADVICE));
        }
    }

    /** @throws WrongResultException if there are NaNs, infinities, or more zeros than other values */
    static void check(Summary summary) {
        if (summary.nans() > 0) {
            throw new WrongResultException("Has nan" + ADVICE);
        }
        if (summary.infinities() > 0) {
            throw new WrongResultException("Has inf" + ADVICE);
        }
        if (2 * summary.zeros() > summary.elements()) {
            throw new WrongResultException("Too many zeros" + ADVICE);
        }
    }
}
