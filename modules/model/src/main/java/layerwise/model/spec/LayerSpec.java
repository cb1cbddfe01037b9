package layerwise.model.spec;

/** One decoder layer: what mixes tokens, then what transforms each. */
public record LayerSpec(MixerSpec mixer, FeedForwardSpec feedForward) {}
