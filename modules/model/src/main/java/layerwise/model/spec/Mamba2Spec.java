package layerwise.model.spec;

import layerwise.tensor.ConfigException;

/**
 * A Mamba-2 mixer (Dao and Gu 2024).
 *
 * @param heads     Q, a multiple of {@code groups}
 * @param headDim   D
 * @param groups    G, heads of which share b and c
 * @param stateDim  N
 * @param convWidth K of the convolution
 * @param convBias  whether the convolution has a bias
 * @param chunk     tokens of a chunk in prefill
 */
public record Mamba2Spec(int heads, int headDim, int groups, int stateDim, int convWidth, boolean convBias, int chunk)
        implements MixerSpec {
    public Mamba2Spec {
        if (heads < 1 || headDim < 1 || groups < 1 || stateDim < 1 || convWidth < 2 || chunk < 1) {
            throw new ConfigException("mamba: %d heads of %d, %d groups, state %d, convolution %d, chunk %d"
                    .formatted(heads, headDim, groups, stateDim, convWidth, chunk));
        }
        if (heads % groups != 0) {
            throw new ConfigException(
                    "n_groups: expected a divisor of mamba_num_heads %d, got %d".formatted(heads, groups));
        }
    }

    /** Elements of all heads. */
    public int inner() {
        return heads * headDim;
    }

    /** Channels that the convolution goes over: x, b and c. */
    public int channels() {
        return inner() + 2 * groups * stateDim;
    }
}
