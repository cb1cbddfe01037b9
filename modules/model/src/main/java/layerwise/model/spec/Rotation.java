package layerwise.model.spec;

/**
 * Rotary embedding of some elements of each head.
 *
 * @param rope frequencies
 * @param dim  elements that rotate, even
 */
public record Rotation(RopeSpec rope, int dim) {}
