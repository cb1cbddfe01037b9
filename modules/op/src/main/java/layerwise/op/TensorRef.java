package layerwise.op;

import layerwise.tensor.DType;
import layerwise.tensor.Shape;

/**
 * A tensor that an operator reads or writes: all or a strided part of a buffer.
 *
 * @param buffer  storage
 * @param shape   extents
 * @param strides steps in elements
 * @param offset  first element within the buffer
 */
public record TensorRef(Buffer buffer, Shape shape, Strides strides, long offset) {
    public TensorRef {
        long last = offset;
        for (int axis = 0; axis < shape.rank(); axis++) {
            last += Math.max(0, shape.dim(axis) - 1) * strides.step(axis);
        }
        if (offset < 0 || (shape.elements() > 0 && last >= buffer.shape().elements())) {
            throw new IllegalArgumentException(
                    "%s %s at %d with steps %s leaves %s".formatted(buffer.name(), shape, offset, strides, buffer));
        }
    }

    public DType dtype() {
        return buffer.dtype();
    }

    /** Extent of one axis; a negative axis counts from the end. */
    public long dim(int axis) {
        return shape.dim(axis);
    }

    public int rank() {
        return shape.rank();
    }

    /** Bytes of the elements of this view, each counted once. */
    public long bytes() {
        return dtype().bytes(shape.elements());
    }

    /** Whether the elements lie in row-major order without gaps. */
    public boolean isContiguous() {
        return strides.equals(Strides.of(shape.rowMajorStrides()));
    }

    /**
     * Refuses a copy that would not be one run of bytes.
     *
     * @throws IllegalArgumentException if the two differ in type or size, or have gaps between their elements
     */
    public void requireCopyableTo(TensorRef target) {
        if (dtype() != target.dtype()
                || shape.elements() != target.shape.elements()
                || !isContiguous()
                || !target.isContiguous()) {
            throw new IllegalArgumentException("copy of %s to %s".formatted(this, target));
        }
    }

    /** Elements {@code from} to {@code to} (exclusive) of one axis. */
    public TensorRef slice(int axis, long from, long to) {
        int at = axis < 0 ? rank() + axis : axis;
        if (from < 0 || to < from || to > dim(at)) {
            throw new IndexOutOfBoundsException("[%d,%d) of axis %d of %s".formatted(from, to, axis, this));
        }
        long[] dims = shape.dims();
        dims[at] = to - from;
        return new TensorRef(buffer, Shape.of(dims), strides, offset + from * strides.step(at));
    }

    /** The innermost axis cut in two: {@code [.., a·b]} becomes {@code [.., a, b]}. */
    public TensorRef splitLast(long outer, long inner) {
        if (outer * inner != dim(-1)) {
            throw new IllegalArgumentException(outer + "x" + inner + " is not the last axis of " + this);
        }
        long[] dims = new long[rank() + 1];
        long[] steps = new long[rank() + 1];
        for (int axis = 0; axis < rank() - 1; axis++) {
            dims[axis] = dim(axis);
            steps[axis] = strides.step(axis);
        }
        dims[rank() - 1] = outer;
        dims[rank()] = inner;
        steps[rank() - 1] = inner * strides.step(-1);
        steps[rank()] = strides.step(-1);
        return new TensorRef(buffer, Shape.of(dims), Strides.of(steps), offset);
    }

    /** The two innermost axes joined: {@code [.., a, b]} becomes {@code [.., a·b]}; they must lie without gaps. */
    public TensorRef joinLast() {
        if (strides.step(-2) != dim(-1) * strides.step(-1)) {
            throw new IllegalArgumentException("the last two axes of " + this + " have gaps between them");
        }
        long[] dims = new long[rank() - 1];
        long[] steps = new long[rank() - 1];
        for (int axis = 0; axis < rank() - 2; axis++) {
            dims[axis] = dim(axis);
            steps[axis] = strides.step(axis);
        }
        dims[rank() - 2] = dim(-2) * dim(-1);
        steps[rank() - 2] = strides.step(-1);
        return new TensorRef(buffer, Shape.of(dims), Strides.of(steps), offset);
    }

    /** The two outermost axes joined: {@code [a, b, ..]} becomes {@code [a·b, ..]}; their steps must go on from one to the other. */
    public TensorRef joinFirst() {
        boolean single = dim(1) == 1;
        if (!single && strides.step(0) != dim(1) * strides.step(1)) {
            throw new IllegalArgumentException("the first two axes of " + this + " do not follow each other");
        }
        long[] dims = new long[rank() - 1];
        long[] steps = new long[rank() - 1];
        dims[0] = dim(0) * dim(1);
        steps[0] = strides.step(single ? 0 : 1);
        for (int axis = 1; axis < rank() - 1; axis++) {
            dims[axis] = dim(axis + 1);
            steps[axis] = strides.step(axis + 1);
        }
        return new TensorRef(buffer, Shape.of(dims), Strides.of(steps), offset);
    }

    /** The axes of a matrix exchanged; nothing moves. */
    public TensorRef transposed() {
        if (rank() != 2) {
            throw new IllegalArgumentException("transposing is for two axes: " + this);
        }
        Strides turned = Strides.of(strides.step(1), strides.step(0));
        return new TensorRef(buffer, Shape.of(dim(1), dim(0)), turned, offset);
    }

    @Override
    public String toString() {
        return buffer.name() + " " + dtype() + shape;
    }
}
