package layerwise.model.spec;

import java.util.Optional;
import layerwise.tensor.ConfigException;

/**
 * Multi-head latent attention (DeepSeek-V2, §2.1).
 *
 * @param heads       Q
 * @param queryRank   width of the queries' latent
 * @param latentRank  R, width of the cached latent
 * @param noPeDim     head dimension of queries and keys without position
 * @param ropeDim     head dimension of their rotated part, even
 * @param valueDim    head dimension of values
 * @param rope        rotation
 * @param indexer     chooses what attention reads, where attention is sparse
 */
public record MlaSpec(
        int heads,
        int queryRank,
        int latentRank,
        int noPeDim,
        int ropeDim,
        int valueDim,
        RopeSpec rope,
        Optional<IndexerSpec> indexer)
        implements MixerSpec {
    public MlaSpec {
        if (heads < 1 || queryRank < 1 || latentRank < 1 || noPeDim < 1 || ropeDim < 2 || valueDim < 1) {
            throw new ConfigException("latent attention: %d heads, ranks %d and %d, head dimensions %d, %d, %d"
                    .formatted(heads, queryRank, latentRank, noPeDim, ropeDim, valueDim));
        }
        if (ropeDim % 2 != 0) {
            throw new ConfigException("qk_rope_head_dim: %d is odd".formatted(ropeDim));
        }
        if (indexer.isPresent() && indexer.get().headDim() < ropeDim) {
            throw new ConfigException("index_head_dim: %d is less than qk_rope_head_dim %d"
                    .formatted(indexer.get().headDim(), ropeDim));
        }
    }

    @Override
    public Optional<Rotation> rotation() {
        return Optional.of(new Rotation(rope, ropeDim));
    }

    /** Head dimension of queries. */
    public int queryDim() {
        return noPeDim + ropeDim;
    }

    /** Elements of a cached row. */
    public int cacheDim() {
        return latentRank + ropeDim;
    }

    /** Rows of the key-value up-projection that belong to one head. */
    public int keyValueDim() {
        return noPeDim + valueDim;
    }

    /** Multiplier of the scores: 1/√d, times the square of YaRN's length correction where there is one. */
    public double softmaxScale() {
        double correction = rope.softmaxCorrection();
        return correction * correction / Math.sqrt(queryDim());
    }
}
