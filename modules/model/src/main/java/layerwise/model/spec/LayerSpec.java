package layerwise.model.spec;

import java.util.Optional;

/**
 * One decoder layer: what mixes tokens, then what transforms each; in some models one of them alone is a layer.
 *
 * @param mixer       what mixes tokens
 * @param feedForward what transforms each token
 */
public record LayerSpec(Optional<MixerSpec> mixer, Optional<FeedForwardSpec> feedForward) {
    public LayerSpec {
        if (mixer.isEmpty() && feedForward.isEmpty()) {
            throw new IllegalArgumentException("a layer without contents");
        }
    }

    /** A layer of both halves. */
    public static LayerSpec of(MixerSpec mixer, FeedForwardSpec feedForward) {
        return new LayerSpec(Optional.of(mixer), Optional.of(feedForward));
    }

    /** A layer that is a mixer alone. */
    public static LayerSpec of(MixerSpec mixer) {
        return new LayerSpec(Optional.of(mixer), Optional.empty());
    }

    /** A layer that is a transformation of each token alone. */
    public static LayerSpec of(FeedForwardSpec feedForward) {
        return new LayerSpec(Optional.empty(), Optional.of(feedForward));
    }
}
