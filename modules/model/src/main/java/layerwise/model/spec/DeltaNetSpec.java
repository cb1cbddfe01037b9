package layerwise.model.spec;

import layerwise.tensor.ConfigException;

/**
 * A gated DeltaNet mixer (Yang, Kautz and Hatamizadeh 2024).
 *
 * @param keyHeads   G
 * @param valueHeads Q, a multiple of {@code keyHeads}
 * @param keyDim     K, of a head
 * @param valueDim   D, of a head
 * @param convWidth  K of the convolution
 */
public record DeltaNetSpec(int keyHeads, int valueHeads, int keyDim, int valueDim, int convWidth) implements MixerSpec {
    /** Tokens of a chunk in prefill, as kernels of the delta rule have them. */
    public static final int CHUNK = 64;

    public DeltaNetSpec {
        if (keyHeads < 1 || valueHeads < 1 || keyDim < 1 || valueDim < 1 || convWidth < 2) {
            throw new ConfigException("linear attention: %d key heads of %d, %d value heads of %d, convolution %d"
                    .formatted(keyHeads, keyDim, valueHeads, valueDim, convWidth));
        }
        if (valueHeads % keyHeads != 0) {
            throw new ConfigException("linear_num_value_heads: expected a multiple of linear_num_key_heads %d, got %d"
                    .formatted(keyHeads, valueHeads));
        }
    }

    /** Value heads that share a key head. */
    public int group() {
        return valueHeads / keyHeads;
    }

    /** Elements of all keys. */
    public int keys() {
        return keyHeads * keyDim;
    }

    /** Elements of all values. */
    public int values() {
        return valueHeads * valueDim;
    }

    /** Channels that the convolution goes over: queries, keys and values. */
    public int channels() {
        return 2 * keys() + values();
    }
}
