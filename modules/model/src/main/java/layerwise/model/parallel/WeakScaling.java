package layerwise.model.parallel;

import java.util.List;
import layerwise.model.spec.DeltaNetSpec;
import layerwise.model.spec.DenseSpec;
import layerwise.model.spec.FeedForwardSpec;
import layerwise.model.spec.GqaSpec;
import layerwise.model.spec.LayerSpec;
import layerwise.model.spec.Mamba2Spec;
import layerwise.model.spec.MixerSpec;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.tensor.ConfigException;

/**
 * The problem that one rank of many has, on fewer: each keeps its number of experts and, under attention tensor parallelism,
 * of heads. Everything else, the number of experts that a token takes included, stays.
 *
 * @param from    number of ranks whose problem it is
 * @param mapping the ranks that run it
 */
public record WeakScaling(int from, Mapping mapping) {
    public WeakScaling {
        if (from < 1) {
            throw new ConfigException("scaled_from %d: expected a number of GPUs".formatted(from));
        }
    }

    /**
     * A smaller model with this many ranks' share of heads and experts.
     *
     * @throws ConfigException if nothing is left of one of them
     */
    public ModelSpec of(ModelSpec model) {
        List<LayerSpec> layers = model.layers().stream()
                .map(layer -> new LayerSpec(
                        layer.mixer().map(this::mixer), layer.feedForward().map(this::feedForward)))
                .toList();
        return new ModelSpec(
                model.name(),
                model.family(),
                model.hidden(),
                model.epsilon(),
                layers,
                model.dtype(),
                model.quantization());
    }

    private MixerSpec mixer(MixerSpec mixer) {
        if (mapping.attentionDp()) {
            return mixer;
        }
        return switch (mixer) {
            case MlaSpec mla -> fewerHeads(mla);
            case GqaSpec gqa ->
                new GqaSpec(
                        scaled("attention heads", gqa.heads()),
                        scaled("key/value heads", gqa.kvHeads()),
                        gqa.headDim(),
                        gqa.rotation(),
                        gqa.normed(),
                        gqa.gated());
            case Mamba2Spec mamba ->
                new Mamba2Spec(
                        scaled("heads", mamba.heads()),
                        mamba.headDim(),
                        scaled("groups of heads", mamba.groups()),
                        mamba.stateDim(),
                        mamba.convWidth(),
                        mamba.convBias(),
                        mamba.chunk());
            case DeltaNetSpec net ->
                new DeltaNetSpec(
                        scaled("key heads", net.keyHeads()),
                        scaled("value heads", net.valueHeads()),
                        net.keyDim(),
                        net.valueDim(),
                        net.convWidth());
        };
    }

    private MlaSpec fewerHeads(MlaSpec mla) {
        if (mla.indexer().isPresent()) {
            throw new ConfigException(
                    "scaled_from %d: the indexer's heads are not divided over ranks; expected enable_attention_dp"
                            .formatted(from));
        }
        return new MlaSpec(
                scaled("attention heads", mla.heads()),
                mla.queryRank(),
                mla.latentRank(),
                mla.noPeDim(),
                mla.ropeDim(),
                mla.valueDim(),
                mla.rope(),
                mla.indexer());
    }

    private FeedForwardSpec feedForward(FeedForwardSpec feedForward) {
        return switch (feedForward) {
            case DenseSpec dense -> dense;
            case MoeSpec moe -> mixture(moe);
        };
    }

    private MoeSpec mixture(MoeSpec moe) {
        int experts = scaled("experts", moe.experts());
        try {
            return new MoeSpec(
                    experts, moe.topK(), moe.intermediate(), moe.sharedIntermediate(), moe.routing(), moe.activation());
        } catch (ConfigException e) {
            throw new ConfigException(
                    "scaled_from %d: %d ranks keep %d of %d experts, too few: %s; expected more ranks, or a smaller number"
                            .formatted(from, mapping.group().size(), experts, moe.experts(), e.getMessage()),
                    e);
        }
    }

    /** Rounded down, as the engine does. */
    private int scaled(String what, int whole) {
        int scaled = whole / from * mapping.group().size();
        if (scaled == 0) {
            throw new ConfigException("scaled_from %d: %d %s are fewer than that; expected at most %d"
                    .formatted(from, whole, what, whole));
        }
        return scaled;
    }
}
