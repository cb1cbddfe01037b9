package layerwise.model.spec;

import layerwise.tensor.ConfigException;

/**
 * A SwiGLU MLP.
 *
 * @param intermediate I
 */
public record DenseSpec(int intermediate) implements FeedForwardSpec {
    public DenseSpec {
        if (intermediate < 1) {
            throw new ConfigException("intermediate_size: expected a positive number, got " + intermediate);
        }
    }
}
