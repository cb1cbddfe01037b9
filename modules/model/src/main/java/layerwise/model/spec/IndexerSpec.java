package layerwise.model.spec;

import layerwise.tensor.ConfigException;

/**
 * The lightning indexer, which chooses the positions that sparse attention reads (DeepSeek-V3.2-Exp, §2.1).
 *
 * @param heads   its own query heads; there is one key
 * @param headDim of queries and key, the rotated part first
 * @param topK    positions that a token attends at most
 */
public record IndexerSpec(int heads, int headDim, int topK) {
    public IndexerSpec {
        if (heads < 1 || headDim < 2 || topK < 1 || Integer.bitCount(headDim) != 1) {
            throw new ConfigException(
                    "indexer: index_n_heads %d, index_head_dim %d, index_topk %d: expected positive numbers, index_head_dim a power of two"
                            .formatted(heads, headDim, topK));
        }
    }
}
