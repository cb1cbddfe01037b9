package layerwise.op;

import layerwise.tensor.DType;
import layerwise.tensor.Shape;

/**
 * Storage for one tensor: named and shaped, but not placed; where it lies is the executor's business.
 *
 * @param name  unique among the buffers of one memory
 * @param dtype element type
 * @param shape extents of the row-major storage
 */
public record Buffer(String name, DType dtype, Shape shape) {
    public Buffer {
        if (name.isBlank()) {
            throw new IllegalArgumentException("a buffer needs a name");
        }
    }

    public static Buffer of(String name, DType dtype, long... dims) {
        return new Buffer(name, dtype, Shape.of(dims));
    }

    /** Bytes of the storage. */
    public long bytes() {
        return dtype.bytes(shape.elements());
    }

    /** The whole buffer as a tensor. */
    public TensorRef whole() {
        return new TensorRef(this, shape, Strides.of(shape.rowMajorStrides()), 0);
    }
}
