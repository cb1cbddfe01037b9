package layerwise.op;

/**
 * How an executor uses a weight.
 *
 * @param weight as stored
 * @param path   for people: what reads it, and what it is turned into before
 */
public record WeightPath(Weight weight, String path) {}
