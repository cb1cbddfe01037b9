package layerwise.op;

/**
 * Counts over the elements of a tensor.
 *
 * @param elements all of them
 * @param nans     not-a-numbers
 * @param infinities infinite ones, of either sign
 * @param zeros    exact zeros, of either sign
 */
public record Summary(long elements, long nans, long infinities, long zeros) {}
