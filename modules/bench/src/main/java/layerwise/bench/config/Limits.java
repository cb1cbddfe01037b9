package layerwise.bench.config;

/**
 * What buffers and the KV cache are sized for.
 *
 * @param maxBatchSize sequences that have pages
 * @param tokensPerBlock tokens of one KV-cache page
 * @param maxSeqLen tokens of one sequence, cached and new
 * @param maxNumTokens query tokens of one step
 */
public record Limits(int maxBatchSize, int tokensPerBlock, int maxSeqLen, int maxNumTokens) {}
