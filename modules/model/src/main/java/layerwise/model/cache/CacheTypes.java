package layerwise.model.cache;

import layerwise.tensor.DType;

/**
 * Element types of what a sequence leaves behind.
 *
 * @param rows   cached keys, values and latents
 * @param inputs last inputs of convolutions: the activations' type
 * @param states states of recurrences
 */
public record CacheTypes(DType rows, DType inputs, DType states) {}
