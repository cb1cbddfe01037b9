package layerwise.model.spec;

import java.util.List;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/**
 * A decoder model's architecture.
 *
 * @param name         as the user gave it
 * @param family       what its layers have in common with those of its type
 * @param hidden       H, width of the residual stream
 * @param epsilon      of the layers' RMSNorms
 * @param layers       decoder layers, first to last
 * @param dtype        of activations and of weights that are not quantised
 * @param quantization of weights and cache
 */
public record ModelSpec(
        String name,
        Family family,
        int hidden,
        double epsilon,
        List<LayerSpec> layers,
        DType dtype,
        Quantization quantization) {
    public ModelSpec {
        layers = List.copyOf(layers);
        if (hidden < 1 || layers.isEmpty() || epsilon <= 0) {
            throw new ConfigException(
                    "%s: hidden %d, %d layers, epsilon %s".formatted(name, hidden, layers.size(), epsilon));
        }
    }

    /**
     * One decoder layer.
     *
     * @throws ConfigException if there is no such layer
     */
    public LayerSpec layer(int index) {
        if (index < 0 || index >= layers.size()) {
            throw new ConfigException(
                    "layer_indices: %d is no layer of %s, expected 0 to %d".formatted(index, name, layers.size() - 1));
        }
        return layers.get(index);
    }

    /** Element type of the cache where nobody chooses another: the checkpoint's, else that of activations. */
    public DType cacheDtype() {
        return quantization.kvCache().orElse(dtype);
    }
}
