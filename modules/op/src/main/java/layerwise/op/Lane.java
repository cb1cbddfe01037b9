package layerwise.op;

/** Which of two concurrent queues runs an operator. */
public enum Lane {
    MAIN,
    /** Runs beside the main lane between a fork and a join, where the executor has concurrent queues. */
    AUXILIARY
}
