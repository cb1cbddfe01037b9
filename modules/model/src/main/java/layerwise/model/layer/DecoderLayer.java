package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.cache.LayerCache;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.DeltaNetSpec;
import layerwise.model.spec.DenseSpec;
import layerwise.model.spec.Family;
import layerwise.model.spec.FeedForwardSpec;
import layerwise.model.spec.GqaSpec;
import layerwise.model.spec.LayerSpec;
import layerwise.model.spec.Mamba2Spec;
import layerwise.model.spec.MixerSpec;
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
    private final ModelSpec model;
    private final Mapping mapping;
    private final SubLayer first;
    private final Optional<Second> second;

    /** What stands in the second half of a layer that has two. */
    private record Second(TensorRef gain, SubLayer body) {}

    /**
     * What a layer leaves.
     *
     * @param mixer    {@code [T,H]}, what its first or only half added to the residual stream
     * @param mlp      {@code [T,H]}, what its second half added
     * @param residual {@code [T,H]}, the stream after both
     * @param ids      {@code [T,k]} int32, what the router chose, where there is one
     */
    record Result(TensorRef mixer, Optional<TensorRef> mlp, TensorRef residual, Optional<TensorRef> ids) {}

    /**
     * Asks for the layer's weights.
     *
     * @param cache   of its mixer, where it has one
     * @param mapping which part of the layer is this rank's
     */
    DecoderLayer(ModelSpec model, int index, WeightTable weights, Optional<LayerCache> cache, Mapping mapping) {
        this.index = index;
        this.model = model;
        this.mapping = mapping;
        LayerSpec spec = model.layer(index);
        String prefix = model.family().prefix(index);
        if (spec.mixer().isPresent() && spec.feedForward().isPresent()) {
            first = mixer(spec.mixer().get(), weights, prefix, cache.orElseThrow());
            TensorRef gain = weights.norm(prefix + "post_attention_layernorm", model.hidden());
            second = Optional.of(new Second(gain, feedForward(spec.feedForward().get(), weights, prefix + "mlp.")));
        } else {
            first = spec.mixer().isPresent()
                    ? mixer(spec.mixer().get(), weights, prefix, cache.orElseThrow())
                    : feedForward(spec.feedForward().orElseThrow(), weights, prefix + "mixer.");
            second = Optional.empty();
        }
    }

    private SubLayer mixer(MixerSpec spec, WeightTable weights, String prefix, LayerCache cache) {
        return switch (spec) {
            case MlaSpec mla ->
                new MlaLayer(model, mla, weights, prefix + "self_attn.", (LayerCache.Latents) cache, mapping);
            case GqaSpec gqa ->
                new GqaLayer(model, gqa, weights, prefix + attentionModule(), (LayerCache.Paged) cache, mapping);
            case Mamba2Spec mamba ->
                new Mamba2Layer(model, mamba, weights, prefix + "mixer.", (LayerCache.Recurrent) cache, mapping);
            case DeltaNetSpec net ->
                new DeltaNetLayer(model, net, weights, prefix + "linear_attn.", (LayerCache.Recurrent) cache, mapping);
        };
    }

    private String attentionModule() {
        return model.family() == Family.NEMOTRON_H ? "mixer." : "self_attn.";
    }

    private SubLayer feedForward(FeedForwardSpec spec, WeightTable weights, String prefix) {
        return switch (spec) {
            case MoeSpec moe -> new MoeLayer(model, moe, weights, prefix, mapping);
            case DenseSpec dense -> {
                Optional<? extends SubLayer> own = dense(dense, weights, prefix);
                SubLayer mlp = own.orElseThrow(() -> new ConfigException(
                        "%s: intermediate_size %d does not divide over %d ranks; expected enable_attention_dp, or fewer ranks"
                                .formatted(
                                        model.name(),
                                        dense.intermediate(),
                                        mapping.group().size())));
                yield (to, hidden) -> to.reduced(mlp.emit(to, hidden));
            }
        };
    }

    private Optional<? extends SubLayer> dense(DenseSpec spec, WeightTable weights, String prefix) {
        return switch (spec.activation()) {
            case SWIGLU -> GatedMlp.of(weights, prefix, model.hidden(), spec.intermediate(), mapping);
            case SQUARED_RELU ->
                SquaredReluMlp.of(
                        weights, prefix, model.hidden(), spec.intermediate(), mapping, Optional.of("MLPLayer"));
        };
    }

    /**
     * The layer's steps.
     *
     * @param hidden   {@code [T,H]}, normalised by whoever comes before
     * @param residual {@code [T,H]}, the stream before the layer
     */
    Result emit(Emission step, TensorRef hidden, TensorRef residual) {
        Emission to = step.layer(index);
        TensorRef mixed = emitFirst(step, hidden);
        if (second.isEmpty()) {
            TensorRef out = to.activation("residual", to.tokens(), hidden.dim(1));
            to.launch(new Add(mixed, residual, out));
            return new Result(mixed, Optional.empty(), out, ids(to.within("mixer"), first));
        }
        TensorRef middle = to.activation("residual_mid", to.tokens(), hidden.dim(1));
        TensorRef normed = to.activation("normed", to.tokens(), hidden.dim(1));
        to.launch(new Add(mixed, residual, middle));
        to.launch(new RmsNorm(middle, second.get().gain(), normed, model.epsilon()));
        Emission half = to.within("mlp");
        TensorRef transformed = second.get().body().emit(half, normed);
        TensorRef out = to.activation("residual", to.tokens(), hidden.dim(1));
        to.launch(new Add(transformed, middle, out));
        return new Result(
                mixed, Optional.of(transformed), out, ids(half, second.get().body()));
    }

    /** The first or only half of the layer alone; what it returns is still to be added to the residual stream. */
    TensorRef emitFirst(Emission step, TensorRef hidden) {
        return first.emit(step.layer(index).within(second.isPresent() ? "attn" : "mixer"), hidden);
    }

    private static Optional<TensorRef> ids(Emission half, SubLayer body) {
        return body instanceof MoeLayer moe ? Optional.of(moe.ids(half)) : Optional.empty();
    }

    /**
     * How the layer routes, where it does.
     *
     * @param inputGain the layer's own input norm, before its first half
     */
    Optional<Router> router(TensorRef inputGain) {
        SubLayer body = second.map(Second::body).orElse(first);
        TensorRef gain = second.map(Second::gain).orElse(inputGain);
        return body instanceof MoeLayer moe ? Optional.of(moe.router(gain, model.epsilon())) : Optional.empty();
    }
}
