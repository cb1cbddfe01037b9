package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.spec.IndexerSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightTable;
import layerwise.model.weights.WeightTable.Part;
import layerwise.op.Batch;
import layerwise.op.IndexKeyAppend;
import layerwise.op.IndexKeys;
import layerwise.op.IndexLogits;
import layerwise.op.IndexQuery;
import layerwise.op.IndexTopK;
import layerwise.op.Linear;
import layerwise.op.PoolRows;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/**
 * The lightning indexer: scores every position for every new token and chooses those that attention reads. Its heads are
 * not divided over ranks.
 *
 * @see <a href="https://github.com/deepseek-ai/DeepSeek-V3.2-Exp">DeepSeek-AI 2025, §2.1</a>
 */
final class Indexer {
    /** Bytes that scores may take: more tokens are scored in blocks, one after the other in the same place. */
    static final long WORKSPACE = 1L << 30;

    /** Of the keys' LayerNorm, in the checkpoint's code. */
    private static final double EPSILON = 1e-6;

    /** Rows of scores begin at multiples of 32 bytes, whatever the length of the sequences. */
    private static final int ROW_STEP = 8;

    private final IndexerSpec spec;
    private final Weight query;
    private final Weight key;
    private final Weight headWeights;
    private final TensorRef keyGain;
    private final TensorRef keyBias;
    private final IndexKeys keys;

    /**
     * Asks for the indexer's weights.
     *
     * @param prefix    of their names
     * @param queryRank width of the queries' latent, which it shares with attention
     */
    Indexer(ModelSpec model, IndexerSpec spec, int queryRank, WeightTable weights, String prefix, IndexKeys keys) {
        this.spec = spec;
        this.keys = keys;
        query = weights.matrix(
                prefix + "wq_b", queryRank, new Part(prefix + "wq_b", (long) spec.heads() * spec.headDim()));
        key = weights.matrix(prefix + "wk", model.hidden(), new Part(prefix + "wk", spec.headDim()));
        headWeights = weights.router(new Part(prefix + "weights_proj", spec.heads()), model.hidden());
        keyGain = weights.floats(prefix + "k_norm.weight", spec.headDim());
        keyBias = weights.floats(prefix + "k_norm.bias", spec.headDim());
    }

    /** Whether every position is chosen anyway. */
    boolean choosesAll(Batch batch) {
        return batch.longest() <= spec.topK();
    }

    /** Puts the keys of the step's tokens into the cache. */
    void append(Emission to, TensorRef hidden) {
        TensorRef k = to.activation("index_k", to.tokens(), spec.headDim());
        to.launch(new Linear(hidden, key, k));
        to.launch(new IndexKeyAppend(k, keyGain, keyBias, to.rotary().orElseThrow(), keys, to.paged(), EPSILON));
    }

    /**
     * Chooses positions, once the step's keys are in the cache.
     *
     * @param queryLatent {@code [T, queryRank]}, normalised
     * @return {@code [T,k]} int32, rows of the paged pool
     */
    TensorRef choose(Emission to, TensorRef hidden, TensorRef queryLatent) {
        long width = (long) spec.heads() * spec.headDim();
        TensorRef q = to.activation("index_q", to.tokens(), width);
        to.launch(new Linear(queryLatent, query, q));
        TensorRef weights = to.tensor("index_w", DType.F32, to.tokens(), spec.heads());
        to.launch(new Linear(hidden, headWeights, weights));
        TensorRef ready = to.tensor("index_q_ready", keys.elements().dtype(), to.tokens(), width)
                .splitLast(spec.heads(), spec.headDim());
        TensorRef scaled = to.tensor("index_w_scaled", DType.F32, to.tokens(), spec.heads());
        to.launch(new IndexQuery(
                q.splitLast(spec.heads(), spec.headDim()),
                weights,
                to.paged().positions(),
                to.rotary().orElseThrow(),
                ready,
                scaled));
        TensorRef indices = to.tensor("index_topk", DType.I32, to.tokens(), spec.topK());
        score(to, ready, scaled, indices);
        TensorRef rows = to.tensor("index_rows", DType.I32, to.tokens(), spec.topK());
        int pageTokens = Math.toIntExact(keys.elements().dim(1));
        to.launch(new PoolRows(indices, rows, to.paged(), pageTokens));
        return rows;
    }

    private void score(Emission to, TensorRef q, TensorRef weights, TensorRef indices) {
        Batch batch = to.paged().batch();
        long width = Math.ceilDiv(batch.longest(), ROW_STEP) * (long) ROW_STEP;
        int block = Math.clamp(WORKSPACE / (Float.BYTES * width), 1, to.tokens());
        TensorRef logits = to.tensor("index_logits", DType.F32, block, width).slice(1, 0, batch.longest());
        for (int first = 0; first < to.tokens(); first += block) {
            int end = Math.min(first + block, to.tokens());
            TensorRef part = logits.slice(0, 0, end - first);
            to.launch(new IndexLogits(
                    q.slice(0, first, end), weights.slice(0, first, end), keys, part, to.paged(), first));
            to.launch(new IndexTopK(
                    part,
                    to.paged().positions().slice(0, first, end),
                    indices.slice(0, first, end),
                    batch.reach(first, end - first).pairs()));
        }
    }

    /** An indexer, where a layer has one. */
    static Optional<Indexer> of(
            ModelSpec model,
            Optional<IndexerSpec> spec,
            int queryRank,
            WeightTable weights,
            String prefix,
            Optional<IndexKeys> keys) {
        return spec.map(s -> new Indexer(model, s, queryRank, weights, prefix, keys.orElseThrow()));
    }
}
