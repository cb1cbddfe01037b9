package layerwise.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Extents of a tensor, outermost first; a scalar has none. Immutable. */
public final class Shape {
    private final long[] dims;

    private Shape(long[] dims) {
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("negative extent in " + Arrays.toString(dims));
            }
        }
        this.dims = dims;
    }

    public static Shape of(long... dims) {
        return new Shape(dims.clone());
    }

    public int rank() {
        return dims.length;
    }

    /** Extent of one axis; a negative axis counts from the end, so {@code dim(-1)} is the innermost. */
    public long dim(int axis) {
        return dims[axis(axis)];
    }

    /**
     * The axis counted from the front: {@code axis(-1)} is {@code rank() - 1}.
     *
     * @throws IndexOutOfBoundsException if there is no such axis
     */
    public int axis(int axis) {
        if (axis < -dims.length || axis >= dims.length) {
            throw new IndexOutOfBoundsException("axis " + axis + " of " + this);
        }
        return axis < 0 ? dims.length + axis : axis;
    }

    /** The extents as a new array. */
    public long[] dims() {
        return dims.clone();
    }

    /** Number of elements: the product of the extents, 1 for a scalar. */
    public long elements() {
        long n = 1;
        for (long dim : dims) {
            n = Math.multiplyExact(n, dim);
        }
        return n;
    }

    /** Strides in elements of a row-major tensor without gaps. */
    public long[] rowMajorStrides() {
        long[] strides = new long[dims.length];
        long step = 1;
        for (int axis = dims.length - 1; axis >= 0; axis--) {
            strides[axis] = step;
            step = Math.multiplyExact(step, Math.max(1, dims[axis]));
        }
        return strides;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape that && Arrays.equals(dims, that.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    /** As in {@code [128,7168]}. */
    @Override
    public String toString() {
        return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(",", "[", "]"));
    }
}
