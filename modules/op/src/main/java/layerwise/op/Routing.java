package layerwise.op;

/** How router logits become chosen experts and their weights. */
public sealed interface Routing {
    /**
     * DeepSeek-V3's router (DeepSeek-V3 technical report, §2.1.2): scores are sigmoids; a bias is added for the choice
     * only; the best {@code topGroups} of {@code groups} groups, by the sum of their two largest biased scores, stay;
     * the top k of those are chosen; weights are the unbiased scores, normalised and scaled.
     */
    record SigmoidGroups(int groups, int topGroups, boolean normalise, double scale) implements Routing {
        public SigmoidGroups {
            if (groups < 1 || topGroups < 1 || topGroups > groups) {
                throw new IllegalArgumentException("%d of %d groups".formatted(topGroups, groups));
            }
        }
    }

    /** Softmax over all experts, the top k chosen, weights optionally renormalised to sum 1. */
    record Softmax(boolean normalise) implements Routing {}
}
