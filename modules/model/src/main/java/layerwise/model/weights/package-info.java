/** The weights of the layers that run: which tensors they are made of, and what they hold. */
package layerwise.model.weights;
