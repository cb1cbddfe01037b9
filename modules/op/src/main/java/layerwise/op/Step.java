package layerwise.op;

/** One element of a program. */
public sealed interface Step {
    /** Runs an operator. */
    record Launch(Operator operator, Lane lane) implements Step {}

    /** Opens a range that encloses the following steps. */
    record Enter(String range) implements Step {}

    /** Closes the range opened last. */
    record Leave() implements Step {}

    /** The auxiliary lane may start once the main lane has come this far. */
    record Fork() implements Step {}

    /** The main lane goes on once the auxiliary lane has come this far. */
    record Join() implements Step {}
}
