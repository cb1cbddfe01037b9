package layerwise.model.weights;

import layerwise.tensor.NamedTensors;

/** Where the elements of weights come from. */
public sealed interface WeightSource {
    /**
     * Made up, reproducibly, in ranges that neither vanish nor overflow in low precision: ±0.001 for 16 and 32 bits, ±3 for
     * float8, bytes below 64 for packed float4.
     */
    record Dummy() implements WeightSource {}

    /**
     * Made up so that every layer's outputs are of its inputs' size: matrices uniform with variance 1/K, gains and scales
     * around their usual values, every tensor with noise of its own. For checks.
     */
    record Noise(long seed) implements WeightSource {}

    /**
     * Read from a checkpoint.
     *
     * @param check returns once its tensors are known to be those of the layers, throws where they are not; called after the
     *     weights have been placed, so that looking at thousands of names may take place meanwhile
     */
    record Checkpoint(NamedTensors tensors, Runnable check) implements WeightSource {
        /** One whose tensors are known already. */
        public Checkpoint(NamedTensors tensors) {
            this(tensors, () -> {});
        }
    }
}
