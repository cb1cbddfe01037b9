package layerwise.model.spec;

/** How a layer transforms each token by itself. */
public sealed interface FeedForwardSpec permits DenseSpec, MoeSpec {}
