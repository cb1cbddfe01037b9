package layerwise.model.weights;

import java.util.Optional;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Region;
import layerwise.tensor.DType;

/** Contents of weights that are not loaded. */
final class MadeUp {
    /** What a tensor is to its weight. */
    enum Role {
        MATRIX,
        GAIN,
        ZERO_CENTRED_GAIN,
        BIAS,
        BLOCK_SCALE,
        SEGMENT_SCALE
    }

    private MadeUp() {}

    /**
     * For {@link WeightSource.Dummy}: by element type alone, but for the 1 that is part of a gain.
     *
     * @param region what the buffer is of the whole weight
     */
    static Contents dummy(DType dtype, Role role, Region region) {
        Optional<Region> part = part(region);
        if (role == Role.ZERO_CENTRED_GAIN) {
            return new Contents.Uniform(0.999f, 1.001f, 0, part);
        }
        return switch (dtype) {
            case F32, F16, BF16 -> new Contents.Uniform(-0.001f, 0.001f, 0, part);
            case E4M3, E5M2, I8 -> new Contents.Uniform(-3, 3, 0, part);
            case E2M1 -> new Contents.RandomBytes(64, 0, part(region.packed(2)));
            case UE8M0, I32 -> throw new IllegalArgumentException("no weights of type " + dtype);
        };
    }

    /**
     * For {@link WeightSource.Noise}: by what the tensor is.
     *
     * @param terms  K of the whole matrix that it belongs to
     * @param region what the buffer is of the whole weight
     */
    static Contents noise(Buffer buffer, Role role, long terms, long runSeed, Region region) {
        Optional<Region> part = part(region);
        long seed = runSeed + buffer.name().hashCode();
        float spread = (float) Math.sqrt(3.0 / Math.max(1, terms));
        return switch (role) {
            case MATRIX ->
                switch (buffer.dtype()) {
                    case F32, F16, BF16 -> new Contents.Uniform(-spread, spread, seed, part);
                    case E4M3, E5M2, I8 -> new Contents.Uniform(-448, 448, seed, part);
                    case E2M1 -> new Contents.RandomBytes(256, seed, part(region.packed(2)));
                    case UE8M0, I32 -> throw new IllegalArgumentException("no weights of type " + buffer.dtype());
                };
            case GAIN, ZERO_CENTRED_GAIN -> new Contents.Uniform(0.5f, 1.5f, seed, part);
            case BIAS -> new Contents.Uniform(-0.1f, 0.1f, seed, part);
            // E4M3 elements reach 448; E2M1 elements reach 6, times block scales of up to 4.
            case BLOCK_SCALE ->
                buffer.dtype() == DType.E4M3
                        ? new Contents.Uniform(0.5f, 4, seed, part)
                        : new Contents.Uniform(spread / 896, spread / 448, seed, part);
            case SEGMENT_SCALE -> new Contents.Uniform(spread / 24, spread / 12, seed, part);
        };
    }

    private static Optional<Region> part(Region region) {
        return region.isWhole() ? Optional.empty() : Optional.of(region);
    }
}
