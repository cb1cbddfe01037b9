/** Architecture facts: what a Hugging Face {@code config.json} says of a model, checked and typed. */
package layerwise.model.spec;
