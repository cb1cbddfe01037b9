package layerwise.model.weights;

import java.lang.foreign.Arena;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;

/** Small tensors in a wider type than the checkpoint's. */
final class Widened {
    private Widened() {}

    /** The same values in float32; the tensor itself where it is float32 already. */
    static HostTensor toFloat32(HostTensor tensor) {
        // Small vectors whose copies live as long as something refers to them; native code never sees this memory.
        return tensor.dtype() == DType.F32
                ? tensor
                : HostTensor.copyOf(Arena.ofAuto(), DType.F32, tensor.shape(), tensor.copyToFloats());
    }

    /** The values and 1, in float32. */
    static HostTensor plusOne(HostTensor tensor) {
        float[] values = tensor.copyToFloats();
        for (int i = 0; i < values.length; i++) {
            values[i] += 1;
        }
        return HostTensor.copyOf(Arena.ofAuto(), DType.F32, tensor.shape(), values);
    }
}
