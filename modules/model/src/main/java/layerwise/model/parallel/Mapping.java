package layerwise.model.parallel;

import layerwise.op.RankGroup;
import layerwise.op.Share;
import layerwise.tensor.ConfigException;

/**
 * How layers are divided over ranks. Experts are always spread over all of them. Attention is either data parallel: each
 * rank runs whole attention, dense MLPs and shared experts on tokens of its own; or tensor parallel: all ranks see the same
 * tokens, and heads and the width of dense MLPs are divided.
 *
 * @param group       the ranks
 * @param attentionDp whether attention is data parallel
 */
public record Mapping(RankGroup group, boolean attentionDp) {
    /** One rank. */
    public static Mapping alone() {
        return new Mapping(RankGroup.alone(), true);
    }

    /** Ranks that work on the same token in attention and dense MLPs. */
    public int tensorRanks() {
        return attentionDp ? 1 : group.size();
    }

    /** Ranks whose tokens differ. */
    public int dataRanks() {
        return attentionDp ? group.size() : 1;
    }

    /** This rank among those whose tokens differ. */
    public int dataRank() {
        return attentionDp ? group.rank() : 0;
    }

    /**
     * This rank's heads.
     *
     * @throws ConfigException if they do not divide
     */
    public Share heads(String model, int heads) {
        return equal(model, "attention heads", heads, tensorRanks(), "enable_attention_dp, or ");
    }

    /**
     * This rank's key/value heads: its share, or the one that its query heads need where there are more ranks than heads.
     *
     * @throws ConfigException if they do not divide
     */
    public Share keyValueHeads(String model, int heads) {
        if (heads >= tensorRanks()) {
            return equal(model, "key/value heads", heads, tensorRanks(), "enable_attention_dp, or ");
        }
        if (tensorRanks() % heads != 0) {
            throw new ConfigException(
                    "%s: %d ranks do not share %d key/value heads evenly; expected enable_attention_dp, or a multiple of %d ranks"
                            .formatted(model, tensorRanks(), heads, heads));
        }
        long own = (long) group.rank() * heads / tensorRanks();
        return new Share(own, own + 1, heads);
    }

    /**
     * This rank's groups of state-space heads.
     *
     * @throws ConfigException if they do not divide
     */
    public Share groups(String model, int groups) {
        return equal(model, "groups of heads", groups, tensorRanks(), "enable_attention_dp, or ");
    }

    /**
     * This rank's experts.
     *
     * @throws ConfigException if they do not divide
     */
    public Share experts(String model, int experts) {
        return equal(model, "experts", experts, group.size(), "");
    }

    private Share equal(String model, String what, int whole, int ranks, String otherwise) {
        if (whole % ranks != 0) {
            throw new ConfigException(
                    "%s: %d %s do not divide over %d ranks; expected %sa number of ranks that divides %d"
                            .formatted(model, whole, what, ranks, otherwise, whole));
        }
        long each = whole / ranks;
        int rank = ranks == 1 ? 0 : group.rank();
        return new Share(rank * each, (rank + 1) * each, whole);
    }

    /**
     * This rank's part of an MLP's width, in whole blocks that share a scale, as evenly as they go; without any where there
     * are more ranks than blocks.
     *
     * @param block elements of the width that stay together
     */
    public Share width(int whole, int block) {
        int ranks = tensorRanks();
        int rank = ranks == 1 ? 0 : group.rank();
        long blocks = Math.ceilDiv(whole, block);
        long from = blocks * rank / ranks * block;
        long to = Math.min(whole, blocks * (rank + 1) / ranks * block);
        return new Share(from, to, whole);
    }
}
