package layerwise.model.spec;

import layerwise.tensor.ConfigException;

/**
 * An MLP.
 *
 * @param intermediate I
 * @param activation   between its matrices
 */
public record DenseSpec(int intermediate, Activation activation) implements FeedForwardSpec {
    public DenseSpec {
        if (intermediate < 1) {
            throw new ConfigException("intermediate_size: expected a positive number, got " + intermediate);
        }
    }
}
