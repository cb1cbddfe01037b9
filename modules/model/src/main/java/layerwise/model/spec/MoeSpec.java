package layerwise.model.spec;

import layerwise.op.Routing;
import layerwise.tensor.ConfigException;

/**
 * A mixture of experts with a router, and shared experts that every token takes.
 *
 * @param experts            E
 * @param topK               experts that each token takes
 * @param intermediate       I of one expert
 * @param sharedIntermediate I of all shared experts together, 0 where there is none
 * @param routing            how logits become choices
 * @param activation         of each expert, shared ones included
 */
public record MoeSpec(
        int experts, int topK, int intermediate, int sharedIntermediate, Routing routing, Activation activation)
        implements FeedForwardSpec {
    public MoeSpec {
        if (experts < 1 || topK < 1 || topK > experts || intermediate < 1 || sharedIntermediate < 0) {
            throw new ConfigException("mixture of experts: top %d of %d experts of width %d, shared width %d"
                    .formatted(topK, experts, intermediate, sharedIntermediate));
        }
        if (routing instanceof Routing.SigmoidGroups grouped
                && (experts % grouped.groups() != 0 || topK > experts / grouped.groups() * grouped.topGroups())) {
            throw new ConfigException("n_group: top %d of %d experts do not fit %d of %d groups"
                    .formatted(topK, experts, grouped.topGroups(), grouped.groups()));
        }
    }
}
