package layerwise.model.spec;

import java.util.Optional;
import layerwise.tensor.ConfigException;

/**
 * Grouped-query attention (Ainslie et al. 2023).
 *
 * @param heads    Q, a positive multiple of {@code kvHeads}
 * @param kvHeads  G
 * @param headDim  D
 * @param rotation of queries and keys, where there is one
 * @param normed   whether each head's queries and keys are normalised
 * @param gated    whether each head's result passes a sigmoid gate that the query projection makes
 */
public record GqaSpec(int heads, int kvHeads, int headDim, Optional<Rotation> rotation, boolean normed, boolean gated)
        implements MixerSpec {
    public GqaSpec {
        if (kvHeads < 1 || heads < 1 || headDim < 1 || heads % kvHeads != 0) {
            throw new ConfigException(
                    "num_attention_heads: %d heads of %d, expected a positive multiple of num_key_value_heads %d"
                            .formatted(heads, headDim, kvHeads));
        }
        if (rotation.filter(r -> r.dim() < 2 || r.dim() % 2 != 0 || r.dim() > headDim)
                .isPresent()) {
            throw new ConfigException("partial_rotary_factor: %d of %d elements rotate, expected an even number"
                    .formatted(rotation.get().dim(), headDim));
        }
    }

    /** Rows of the query projection that belong to one head. */
    public int queryRows() {
        return gated ? 2 * headDim : headDim;
    }

    /** Multiplier of the scores. */
    public double softmaxScale() {
        return 1 / Math.sqrt(headDim);
    }
}
