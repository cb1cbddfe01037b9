package layerwise.model.spec;

/** How a layer mixes tokens. */
public sealed interface MixerSpec permits MlaSpec {}
