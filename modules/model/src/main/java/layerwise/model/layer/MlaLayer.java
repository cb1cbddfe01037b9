package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.cache.LayerCache;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.HeadLinear;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.Linear;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.Operator;
import layerwise.op.PackedLatent;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.Share;
import layerwise.op.SparseMlaAttention;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/**
 * Multi-head latent attention: expanded in prefill, absorbed in decode (DeepSeek-V2, §2.1 and appendix C). With an indexer
 * it is absorbed over chosen rows in both, as engines run DeepSeek-V3.2, once a sequence is longer than what is chosen.
 */
final class MlaLayer implements SubLayer {
    private final MlaSpec spec;
    private final long heads;
    private final double epsilon;
    private final Weight queryKeyValueA;
    private final TensorRef queryGain;
    private final TensorRef latentGain;
    private final Weight queryB;
    private final Weight keyValueB;
    private final Weight output;
    private final TensorRef cache;
    private final Optional<Indexer> indexer;

    /**
     * Asks for the layer's weights.
     *
     * @param mapping which heads are this rank's; queries' and keys' latents are not divided
     */
    MlaLayer(
            ModelSpec model,
            MlaSpec spec,
            WeightTable weights,
            String prefix,
            LayerCache.Latents cache,
            Mapping mapping) {
        Share share = mapping.heads(model.name(), spec.heads());
        this.spec = spec;
        this.heads = share.size();
        this.epsilon = model.epsilon();
        this.cache = cache.rows().tensor();
        indexer = Indexer.of(model, spec.indexer(), spec.queryRank(), weights, prefix + "indexer.", cache.keys());
        queryKeyValueA = weights.matrix(
                prefix + "q_kv_a_proj",
                model.hidden(),
                new Part(prefix + "q_a_proj", spec.queryRank()),
                new Part(prefix + "kv_a_proj_with_mqa", spec.cacheDim()));
        queryGain = weights.gain(prefix + "q_a_layernorm", spec.queryRank());
        latentGain = weights.gain(prefix + "kv_a_layernorm", spec.latentRank());
        queryB = weights.matrix(
                prefix + "q_b_proj", spec.queryRank(), new Part(prefix + "q_b_proj", share.times(spec.queryDim())));
        keyValueB = weights.matrix(
                prefix + "kv_b_proj",
                spec.latentRank(),
                new Part(prefix + "kv_b_proj", share.times(spec.keyValueDim())));
        output = weights.matrix(
                prefix + "o_proj", share.times(spec.valueDim()), new Part(prefix + "o_proj", model.hidden()));
    }

    @Override
    public TensorRef emit(Emission to, TensorRef hidden) {
        TensorRef part = to.activation("output", to.tokens(), hidden.dim(1));
        TensorRef[] result = new TensorRef[1];
        to.program().range("MLA", () -> {
            int latentEnd = spec.queryRank() + spec.latentRank();
            TensorRef a = to.activation("q_kv_a", to.tokens(), spec.queryRank() + spec.cacheDim());
            to.launch(new Linear(hidden, queryKeyValueA, a));
            TensorRef queryLatent = to.activation("q_latent", to.tokens(), spec.queryRank());
            to.launch(new RmsNorm(a.slice(1, 0, spec.queryRank()), queryGain, queryLatent, epsilon));
            TensorRef q = to.activation("q", to.tokens(), heads * spec.queryDim());
            to.launch(new Linear(queryLatent, queryB, q));
            TensorRef queries = q.splitLast(heads, spec.queryDim());
            TensorRef latentIn = a.slice(1, spec.queryRank(), latentEnd);
            TensorRef keyIn = a.slice(1, latentEnd, a.dim(1)).splitLast(1, spec.ropeDim());
            indexer.ifPresent(index -> index.append(to, hidden));
            Optional<TensorRef> chosen =
                    indexer.filter(index -> gathers(to, index)).map(index -> index.choose(to, hidden, queryLatent));
            TensorRef attended = to.phase() == Phase.CONTEXT && chosen.isEmpty()
                    ? expanded(to, queries, latentIn, keyIn)
                    : absorbed(to, queries, latentIn, keyIn, chosen);
            to.launch(new Linear(attended.joinLast(), output, part));
            result[0] = to.reduced(part);
        });
        return result[0];
    }

    /** Whether attention reads chosen rows: where there is a choice, and always of packed rows, which dense kernels do not read. */
    private boolean gathers(Emission to, Indexer index) {
        return PackedLatent.holds(cache) || !index.choosesAll(to.paged().batch());
    }

    /** The latent's norm, the rotations and the cache write, which both forms share. */
    private LatentAppend append(
            Emission to, TensorRef queryIn, TensorRef queryOut, TensorRef latentIn, TensorRef keyIn) {
        TensorRef latent = to.activation("latent", to.tokens(), spec.latentRank());
        TensorRef key = to.activation("k_rope", to.tokens(), 1, spec.ropeDim());
        TensorRef positions = to.paged().positions();
        TensorRef table = to.rotary().orElseThrow();
        LatentAppend append = new LatentAppend(latent, key.joinLast(), cache, to.paged());
        to.launch(new RmsNorm(latentIn, latentGain, latent, epsilon));
        to.launch(new Rotary(queryIn, positions, table, queryOut, Rotary.Layout.INTERLEAVED));
        to.launch(new Rotary(keyIn, positions, table, key, Rotary.Layout.INTERLEAVED));
        to.launch(append);
        return append;
    }

    private TensorRef expanded(Emission to, TensorRef q, TensorRef latentIn, TensorRef keyIn) {
        TensorRef rope = q.slice(2, spec.noPeDim(), spec.queryDim());
        LatentAppend fresh = append(to, rope, rope, latentIn, keyIn);
        TensorRef latents = fresh.latent();
        TensorRef keys = fresh.key();
        long context = to.paged().batch().context();
        if (to.paged().batch().hasPast()) {
            TensorRef rows = to.activation("cached", context, spec.cacheDim());
            to.launch(new LatentGather(cache, rows, to.paged()));
            latents = rows.slice(1, 0, spec.latentRank());
            keys = rows.slice(1, spec.latentRank(), spec.cacheDim());
        }
        TensorRef kv = to.activation("kv", context, heads * spec.keyValueDim());
        to.launch(new Linear(latents, keyValueB, kv));
        TensorRef out = to.activation("attended", to.tokens(), heads, spec.valueDim());
        to.launch(new MlaPrefillAttention(
                q, kv.splitLast(heads, spec.keyValueDim()), keys, out, to.paged(), spec.softmaxScale()));
        return out;
    }

    private TensorRef absorbed(
            Emission to, TensorRef q, TensorRef latentIn, TensorRef keyIn, Optional<TensorRef> chosen) {
        int rank = spec.latentRank();
        DType type = chosen.isEmpty() && cache.dtype() == DType.E4M3 ? DType.E4M3 : to.dtype();
        TensorRef absorbed = to.tensor("q_absorbed", type, to.tokens(), heads, spec.cacheDim());
        to.launch(new HeadLinear(
                q.slice(2, 0, spec.noPeDim()), keyValueB, absorbed.slice(2, 0, rank), spec.keyValueDim(), 0, true));
        append(
                to,
                q.slice(2, spec.noPeDim(), spec.queryDim()),
                absorbed.slice(2, rank, spec.cacheDim()),
                latentIn,
                keyIn);
        TensorRef context = to.activation("context", to.tokens(), heads, rank);
        to.launch(chosen.<Operator>map(rows -> new SparseMlaAttention(
                        absorbed,
                        cache,
                        rows,
                        to.paged().positions(),
                        context,
                        to.paged().batch(),
                        spec.softmaxScale()))
                .orElseGet(() -> new MlaDecodeAttention(absorbed, cache, context, to.paged(), spec.softmaxScale())));
        TensorRef out = to.activation("attended", to.tokens(), heads, spec.valueDim());
        to.launch(new HeadLinear(context, keyValueB, out, spec.keyValueDim(), spec.noPeDim(), false));
        return out;
    }
}
