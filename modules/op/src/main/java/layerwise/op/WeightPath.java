package layerwise.op;

/**
 * How an executor uses a weight.
 *
 * @param weight  as stored
 * @param path    for people: what reads it, and what it is turned into before
 * @param rounded whether values, scales multiplied in, are rounded to bfloat16 before they are used
 */
public record WeightPath(Weight weight, String path, boolean rounded) {}
