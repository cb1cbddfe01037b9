package layerwise.model.spec;

import java.util.Optional;

/** How a layer mixes tokens. */
public sealed interface MixerSpec permits MlaSpec, GqaSpec, Mamba2Spec, DeltaNetSpec {
    /** The rotation of queries and keys, where there is one. */
    default Optional<Rotation> rotation() {
        return Optional.empty();
    }
}
