package layerwise.model.weights;

import java.util.Set;
import layerwise.op.Contents;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.NamedTensors;
import layerwise.tensor.Shape;

/** Where the elements of weights come from. */
public sealed interface WeightSource {
    /**
     * Made up, reproducibly, in ranges that neither vanish nor overflow in low precision: ±0.001 for 16 and 32 bits, ±3 for
     * float8, bytes below 64 for packed float4.
     */
    record Dummy() implements WeightSource {}

    /** Read from a checkpoint. */
    record Checkpoint(NamedTensors tensors) implements WeightSource {}

    /** Contents of a buffer of type {@code dtype} when nothing is loaded. */
    static Contents dummy(DType dtype) {
        return switch (dtype) {
            case F32, F16, BF16 -> new Contents.Uniform(-0.001f, 0.001f, 0);
            case E4M3, E5M2, I8 -> new Contents.Uniform(-3, 3, 0);
            case E2M1 -> new Contents.RandomBytes(64, 0);
            case UE8M0, I32 -> throw new IllegalArgumentException("no dummy weights of type " + dtype);
        };
    }

    /** The checkpoint's tensor, its packed bytes seen as elements of {@code dtype}. */
    static HostTensor load(NamedTensors tensors, String name, DType dtype, Shape shape) {
        if (dtype == DType.E2M1) {
            long[] packed = shape.dims();
            packed[packed.length - 1] /= 2;
            return tensors.tensor(name, Shape.of(packed), Set.of(DType.I8)).reinterpret(dtype, shape.dims());
        }
        return tensors.tensor(name, shape, Set.of(dtype));
    }
}
