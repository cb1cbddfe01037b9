package layerwise.model.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.model.cache.LayerCache;
import layerwise.model.parallel.DeltaNetShare;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.DeltaNetSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.CausalConv1d;
import layerwise.op.DeltaRule;
import layerwise.op.DeltaRuleChunkScan;
import layerwise.op.DeltaRuleUpdate;
import layerwise.op.GatedRmsNorm;
import layerwise.op.L2Norm;
import layerwise.op.Linear;
import layerwise.op.Share;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/**
 * A gated DeltaNet mixer: in chunks in prefill, token by token in decode.
 *
 * <p>The checkpoint groups the rows of its projections by key head; they are put in the order {@code [q | k | v | z]} and
 * {@code [b | a]} at loading, so that every later tensor is a slice of columns.
 */
final class DeltaNetLayer implements SubLayer {
    /** Of the norm of queries and keys, as transformers has it. */
    private static final double L2_EPSILON = 1e-6;

    private final DeltaNetSpec spec;
    private final long keyHeads;
    private final long valueHeads;
    private final long keys;
    private final long channels;
    private final double epsilon;
    private final Weight queryKeyValueGate;
    private final Weight betaAlpha;
    private final TensorRef convolution;
    private final TensorRef aLog;
    private final TensorRef dtBias;
    private final TensorRef gain;
    private final Weight output;
    private final LayerCache.Recurrent cache;

    /**
     * Asks for the layer's weights.
     *
     * @param mapping which heads are this rank's
     */
    DeltaNetLayer(
            ModelSpec model,
            DeltaNetSpec spec,
            WeightTable weights,
            String prefix,
            LayerCache.Recurrent cache,
            Mapping mapping) {
        DeltaNetShare own = DeltaNetShare.of(mapping, model.name(), spec);
        this.spec = spec;
        this.keyHeads = own.keyHeads().size();
        this.valueHeads = own.valueHeads().size();
        this.keys = own.keys().size();
        this.channels = 2 * keys + own.values().size();
        this.epsilon = model.epsilon();
        this.cache = cache;
        int values = spec.group() * spec.valueDim();
        queryKeyValueGate = weights.matrix(
                prefix + "in_proj_qkvz",
                model.hidden(),
                regrouped(prefix + "in_proj_qkvz", own.keyHeads(), spec.keyDim(), spec.keyDim(), values, values));
        betaAlpha = weights.matrix(
                prefix + "in_proj_ba",
                model.hidden(),
                regrouped(prefix + "in_proj_ba", own.keyHeads(), spec.group(), spec.group()));
        convolution = weights.convolution(prefix + "conv1d", own.channels(), spec.convWidth());
        aLog = weights.floats(prefix + "A_log", List.of(own.valueHeads()));
        dtBias = weights.floats(prefix + "dt_bias", List.of(own.valueHeads()));
        gain = weights.gain(prefix + "norm", spec.valueDim());
        output = weights.matrix(prefix + "out_proj", own.values(), new Part(prefix + "out_proj", model.hidden()));
    }

    /** Rows that stand as {@code [key head][piece]} in the checkpoint, in the order {@code [piece][key head]}. */
    private Part[] regrouped(String module, Share heads, int... pieces) {
        int stride = 0;
        for (int piece : pieces) {
            stride += piece;
        }
        List<Part> parts = new ArrayList<>();
        int within = 0;
        for (int piece : pieces) {
            for (long g = heads.from(); g < heads.to(); g++) {
                parts.add(new Part(module, Share.all(piece).within(g * stride + within, heads.whole() * stride)));
            }
            within += piece;
        }
        return parts.toArray(Part[]::new);
    }

    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef part = to.activation("output", to.tokens(), hidden.dim(1));
        TensorRef[] result = new TensorRef[1];
        to.program().range("Qwen3NextGatedDeltaNet", () -> {
            TensorRef qkvz = to.activation("q_k_v_z", to.tokens(), channels + valueHeads * spec.valueDim());
            TensorRef ba = to.activation("b_a", to.tokens(), 2 * valueHeads);
            to.program()
                    .concurrently(
                            () -> to.launch(new Linear(hidden, queryKeyValueGate, qkvz)),
                            () -> to.launch(new Linear(hidden, betaAlpha, ba)));
            TensorRef qkv = to.activation("q_k_v", to.tokens(), channels);
            to.launch(new CausalConv1d(
                    qkvz.slice(1, 0, channels),
                    convolution,
                    Optional.empty(),
                    cache.inputs().tensor(),
                    qkv,
                    to.paged()));
            TensorRef out = recurrence(to, qkv, ba);
            TensorRef normed = to.activation("normed", to.tokens(), valueHeads, spec.valueDim());
            TensorRef z = qkvz.slice(1, channels, qkvz.dim(1)).splitLast(valueHeads, spec.valueDim());
            to.launch(new GatedRmsNorm(out, z, gain, normed, epsilon, GatedRmsNorm.Order.NORM_FIRST));
            to.launch(new Linear(normed.joinLast(), output, part));
            result[0] = to.reduced(part);
        });
        return result[0];
    }

    private TensorRef recurrence(Emission to, TensorRef qkv, TensorRef ba) {
        TensorRef normed = to.activation("q_k_normed", to.tokens(), 2 * keyHeads, spec.keyDim());
        to.launch(new L2Norm(qkv.slice(1, 0, 2 * keys).splitLast(2 * keyHeads, spec.keyDim()), normed, L2_EPSILON));
        TensorRef out = to.activation("o", to.tokens(), valueHeads, spec.valueDim());
        DeltaRule rule = new DeltaRule(
                normed.slice(1, 0, keyHeads),
                normed.slice(1, keyHeads, 2 * keyHeads),
                qkv.slice(1, 2 * keys, channels).splitLast(valueHeads, spec.valueDim()),
                ba.slice(1, valueHeads, 2 * valueHeads),
                ba.slice(1, 0, valueHeads),
                aLog,
                dtBias,
                cache.state().tensor(),
                out,
                to.paged(),
                1 / Math.sqrt(spec.keyDim()));
        to.launch(
                switch (to.phase()) {
                    case CONTEXT -> new DeltaRuleChunkScan(rule, DeltaNetSpec.CHUNK);
                    case GENERATION -> new DeltaRuleUpdate(rule);
                });
        return out;
    }
}
