package layerwise.estimate;

import layerwise.op.Lane;
import layerwise.op.Operator;

/**
 * One operator on the simulated clock.
 *
 * @param start nanoseconds since the step began
 * @param end   likewise
 */
public record Span(Operator operator, Lane lane, double start, double end) {}
