package layerwise.kernels;

import layerwise.op.Operator;
import layerwise.tensor.LayerwiseException;

/** The device failed at an operator, or at one of several. */
public final class OperatorException extends LayerwiseException {
    private static final long serialVersionUID = 1L;

    private OperatorException(String message, Throwable cause) {
        super(message, cause);
    }

    /** A known one. */
    static OperatorException at(Operator operator, RuntimeException cause) {
        return new OperatorException(
                "%s %s: %s".formatted(operator.name(), operator.label(), cause.getMessage()), cause);
    }

    /** One of those that were enqueued last; execution errors arrive late. */
    static OperatorException among(String operators, RuntimeException cause) {
        return new OperatorException(
                "%s; enqueued last: %s; --sync-every-launch tells which".formatted(cause.getMessage(), operators),
                cause);
    }
}
