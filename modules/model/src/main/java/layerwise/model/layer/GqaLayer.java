package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.cache.LayerCache;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.GqaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.Linear;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.Share;
import layerwise.op.SigmoidGate;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/**
 * Grouped-query attention, with what its model adds: norms of queries and keys, a rotation, a gate. Queries and their
 * gate stand beside each other in each head's rows of the projection.
 */
final class GqaLayer implements SubLayer {
    private final GqaSpec spec;
    private final long queryHeads;
    private final long kvHeads;
    private final double epsilon;
    private final Weight queryKeyValue;
    private final Optional<Gains> gains;
    private final Weight output;
    private final TensorRef cache;

    private record Gains(TensorRef query, TensorRef key) {}

    /**
     * Asks for the layer's weights.
     *
     * @param mapping which heads are this rank's
     */
    GqaLayer(
            ModelSpec model,
            GqaSpec spec,
            WeightTable weights,
            String prefix,
            LayerCache.Paged cache,
            Mapping mapping) {
        Share heads = mapping.heads(model.name(), spec.heads());
        Share keyValue = mapping.keyValueHeads(model.name(), spec.kvHeads());
        this.spec = spec;
        this.queryHeads = heads.size();
        this.kvHeads = keyValue.size();
        this.epsilon = model.epsilon();
        this.cache = cache.rows().tensor();
        queryKeyValue = weights.matrix(
                prefix + "qkv_proj",
                model.hidden(),
                new Part(prefix + "q_proj", heads.times(spec.queryRows())),
                new Part(prefix + "k_proj", keyValue.times(spec.headDim())),
                new Part(prefix + "v_proj", keyValue.times(spec.headDim())));
        gains = spec.normed()
                ? Optional.of(new Gains(
                        weights.norm(prefix + "q_norm", spec.headDim()),
                        weights.norm(prefix + "k_norm", spec.headDim())))
                : Optional.empty();
        output = weights.matrix(
                prefix + "o_proj", heads.times(spec.headDim()), new Part(prefix + "o_proj", model.hidden()));
    }

    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef part = to.activation("output", to.tokens(), hidden.dim(1));
        TensorRef[] result = new TensorRef[1];
        to.program().range("Attention", () -> {
            int dim = spec.headDim();
            long queryEnd = queryHeads * spec.queryRows();
            long keyEnd = queryEnd + kvHeads * dim;
            TensorRef qkv = to.activation("qkv", to.tokens(), keyEnd + kvHeads * dim);
            to.launch(new Linear(hidden, queryKeyValue, qkv));
            TensorRef heads = qkv.slice(1, 0, queryEnd).splitLast(queryHeads, spec.queryRows());
            TensorRef query = heads.slice(2, 0, dim);
            TensorRef key = qkv.slice(1, queryEnd, keyEnd).splitLast(kvHeads, dim);
            TensorRef value = qkv.slice(1, keyEnd, qkv.dim(1)).splitLast(kvHeads, dim);
            if (gains.isPresent()) {
                query = normed(to, "q_normed", query, gains.get().query());
                key = normed(to, "k_normed", key, gains.get().key());
            }
            TensorRef attended = attended(to, rotated(to, query), rotated(to, key), value);
            if (spec.gated()) {
                TensorRef gated = to.activation("gated", to.tokens(), queryHeads, dim);
                to.launch(new SigmoidGate(attended, heads.slice(2, dim, 2L * dim), gated));
                attended = gated;
            }
            to.launch(new Linear(attended.joinLast(), output, part));
            result[0] = to.reduced(part);
        });
        return result[0];
    }

    private TensorRef normed(Emission to, String name, TensorRef heads, TensorRef gain) {
        TensorRef normed = to.activation(name, to.tokens(), heads.dim(1), heads.dim(2));
        to.launch(new RmsNorm(heads, gain, normed, epsilon));
        return normed;
    }

    /** Rotates the first elements of each head in place; the others pass. */
    private TensorRef rotated(Emission to, TensorRef heads) {
        spec.rotation().ifPresent(rotation -> {
            TensorRef part = heads.slice(2, 0, rotation.dim());
            TensorRef table = to.rotary().orElseThrow();
            to.launch(new Rotary(part, to.paged().positions(), table, part, Rotary.Layout.HALF_SPLIT));
        });
        return heads;
    }

    private TensorRef attended(Emission to, TensorRef query, TensorRef key, TensorRef value) {
        to.launch(new LatentAppend(key.joinLast(), value.joinLast(), cache, to.paged()));
        TensorRef out = to.activation("attended", to.tokens(), queryHeads, spec.headDim());
        switch (to.phase()) {
            case GENERATION -> to.launch(new GqaDecodeAttention(query, cache, out, to.paged(), spec.softmaxScale()));
            case CONTEXT -> prefill(to, query, key, value, out);
        }
        return out;
    }

    private void prefill(Emission to, TensorRef query, TensorRef key, TensorRef value, TensorRef out) {
        TensorRef keys = key;
        TensorRef values = value;
        if (to.paged().batch().hasPast()) {
            TensorRef rows = to.activation("cached", to.paged().batch().context(), cache.dim(2));
            to.launch(new LatentGather(cache, rows, to.paged()));
            long width = kvHeads * spec.headDim();
            keys = rows.slice(1, 0, width).splitLast(kvHeads, spec.headDim());
            values = rows.slice(1, width, 2 * width).splitLast(kvHeads, spec.headDim());
        }
        to.launch(new GqaPrefillAttention(query, keys, values, out, to.paged(), spec.softmaxScale()));
    }
}
