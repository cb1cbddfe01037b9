package layerwise.model.cache;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import layerwise.model.spec.MixerSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.RopeSpec;
import layerwise.op.Buffer;
import layerwise.op.Contents;
import layerwise.op.Memory;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;

/**
 * Cosines and sines of every position, {@code [positions, 2, D/2]} float32.
 *
 * @param rope      rotation
 * @param dim       D
 * @param positions positions that occur
 */
public record RotaryTable(RopeSpec rope, int dim, int positions) {
    /** The table that the rotation of layers needs, where one rotates; those of a model rotate alike. */
    public static Optional<RotaryTable> of(ModelSpec model, List<Integer> layers, int positions) {
        return layers.stream()
                .map(layer -> model.layer(layer).mixer())
                .flatMap(Optional::stream)
                .map(MixerSpec::rotation)
                .flatMap(Optional::stream)
                .findFirst()
                .map(rotation -> new RotaryTable(rotation.rope(), rotation.dim(), positions));
    }

    /** The table as operators name it. */
    public TensorRef tensor() {
        return Buffer.of("rotary", DType.F32, positions, 2, dim / 2).whole();
    }

    /** Gives the table its place and contents. */
    public void place(Memory memory) {
        double[] frequencies = rope.frequencies(dim);
        float[] values = new float[Math.multiplyExact(positions, dim)];
        for (int p = 0; p < positions; p++) {
            for (int i = 0; i < frequencies.length; i++) {
                values[p * dim + i] = (float) (Math.cos(p * frequencies[i]) * rope.amplitude());
                values[p * dim + dim / 2 + i] = (float) (Math.sin(p * frequencies[i]) * rope.amplitude());
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            Buffer buffer = tensor().buffer();
            memory.put(
                    buffer, new Contents.Copied(List.of(HostTensor.copyOf(arena, DType.F32, buffer.shape(), values))));
        }
    }
}
