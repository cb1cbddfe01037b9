package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.cache.LatentCache;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.DenseSpec;
import layerwise.model.spec.LayerSpec;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.model.weights.WeightTable;
import layerwise.op.Add;
import layerwise.op.RmsNorm;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;

/** One decoder layer from its normalised input to its residual stream; the norm between its halves is its own. */
final class DecoderLayer {
    private final int index;
    private final double epsilon;
    private final MlaLayer mixer;
    private final TensorRef postGain;
    private final FeedForward feedForward;

    /** What stands in the layer's second half. */
    private sealed interface FeedForward {
        record Dense(GatedMlp mlp) implements FeedForward {}

        record Moe(MoeLayer moe) implements FeedForward {}
    }

    /**
     * What a layer leaves.
     *
     * @param mixer    {@code [T,H]}, what attention added to the residual stream
     * @param mlp      {@code [T,H]}, what the second half added
     * @param residual {@code [T,H]}, the stream after both
     * @param ids      {@code [T,k]} int32, what the router chose, where there is one
     */
    record Result(TensorRef mixer, TensorRef mlp, TensorRef residual, Optional<TensorRef> ids) {}

    DecoderLayer(ModelSpec model, int index, WeightTable weights, LatentCache cache, Mapping mapping) {
        this.index = index;
        this.epsilon = model.epsilon();
        LayerSpec spec = model.layer(index);
        String prefix = prefix(index);
        mixer = switch (spec.mixer()) {
            case MlaSpec mla -> new MlaLayer(model, mla, weights, prefix + "self_attn.", cache, mapping);
        };
        postGain = weights.gain(prefix + "post_attention_layernorm", model.hidden());
        feedForward = switch (spec.feedForward()) {
            case DenseSpec dense -> new FeedForward.Dense(dense(model, dense, weights, prefix + "mlp.", mapping));
            case MoeSpec moe -> new FeedForward.Moe(new MoeLayer(model, moe, weights, prefix + "mlp.", mapping));
        };
    }

    private static GatedMlp dense(
            ModelSpec model, DenseSpec spec, WeightTable weights, String prefix, Mapping mapping) {
        return GatedMlp.of(weights, prefix, model.hidden(), spec.intermediate(), mapping)
                .orElseThrow(() -> new ConfigException(
                        "%s: intermediate_size %d does not divide over %d ranks; expected enable_attention_dp, or fewer ranks"
                                .formatted(
                                        model.name(),
                                        spec.intermediate(),
                                        mapping.group().size())));
    }

    /** Prefix of a layer's tensors in the checkpoint. */
    static String prefix(int index) {
        return "model.layers." + index + ".";
    }

    /**
     * The layer's steps.
     *
     * @param hidden   {@code [T,H]}, normalised by whoever comes before
     * @param residual {@code [T,H]}, the stream before the layer
     */
    Result emit(Emission step, TensorRef hidden, TensorRef residual, ExpertChoice choice) {
        Emission to = step.within("layers." + index);
        TensorRef mixed = mixer.emit(to.within("attn"), hidden);
        TensorRef middle = to.activation("residual_mid", to.tokens(), hidden.dim(1));
        TensorRef normed = to.activation("normed", to.tokens(), hidden.dim(1));
        to.launch(new Add(mixed, residual, middle));
        to.launch(new RmsNorm(middle, postGain, normed, epsilon));
        Emission half = to.within("mlp");
        TensorRef transformed = switch (feedForward) {
            case FeedForward.Dense dense -> half.reduced(dense.mlp().emit(half, normed));
            case FeedForward.Moe moe -> moe.moe().emit(half, normed, choice);
        };
        Optional<TensorRef> ids = switch (feedForward) {
            case FeedForward.Dense dense -> Optional.empty();
            case FeedForward.Moe moe -> Optional.of(moe.moe().ids(half));
        };
        TensorRef out = to.activation("residual", to.tokens(), hidden.dim(1));
        to.launch(new Add(transformed, middle, out));
        return new Result(mixed, transformed, out, ids);
    }

    /** How the layer routes, where it does. */
    Optional<Router> router() {
        return switch (feedForward) {
            case FeedForward.Dense dense -> Optional.empty();
            case FeedForward.Moe moe -> Optional.of(moe.moe().router(postGain, epsilon));
        };
    }
}
