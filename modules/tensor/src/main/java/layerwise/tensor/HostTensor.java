package layerwise.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/**
 * A typed view over memory that the processor can read: a segment, an element type, extents and strides.
 *
 * <p>The arena that the caller passed, or the mapped file, is the tensor's lifetime. {@link #slice}, {@link #transpose}
 * and {@link #reshape} share memory; whatever copies says so.
 */
public final class HostTensor {
    /** Alignment of tensors that {@link #allocate} makes, in bytes: what the widest device copies like. */
    public static final long ALIGNMENT = 256;

    private final MemorySegment segment;
    private final DType dtype;
    private final Shape shape;
    private final long[] strides;
    private final long offset;

    private HostTensor(MemorySegment segment, DType dtype, Shape shape, long[] strides, long offset) {
        this.segment = segment;
        this.dtype = dtype;
        this.shape = shape;
        this.strides = strides;
        this.offset = offset;
    }

    /** A zero-filled row-major tensor in {@code arena}. */
    public static HostTensor allocate(Arena arena, DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        long bytes = dtype.bytes(shape.elements());
        return wrap(arena.allocate(Math.max(bytes, 1), ALIGNMENT).asSlice(0, bytes), dtype, shape);
    }

    /**
     * A row-major tensor over existing memory.
     *
     * @throws IllegalArgumentException if the segment's size is not that of the shape
     */
    public static HostTensor wrap(MemorySegment segment, DType dtype, Shape shape) {
        long bytes = dtype.bytes(shape.elements());
        if (segment.byteSize() != bytes) {
            throw new IllegalArgumentException(
                    "%s %s takes %s bytes, the segment has %s".formatted(dtype, shape, bytes, segment.byteSize()));
        }
        return new HostTensor(segment, dtype, shape, shape.rowMajorStrides(), 0);
    }

    /** A tensor with a copy of {@code values}, rounded to {@code dtype}. */
    public static HostTensor copyOf(Arena arena, DType dtype, Shape shape, float... values) {
        rejectOtherCount(shape, values.length);
        HostTensor tensor = allocate(arena, dtype, shape.dims());
        Elements.write(tensor.segment, dtype, 0, values, 0, values.length);
        return tensor;
    }

    /** An {@link DType#I32} tensor with a copy of {@code values}. */
    public static HostTensor copyOf(Arena arena, Shape shape, int... values) {
        rejectOtherCount(shape, values.length);
        HostTensor tensor = allocate(arena, DType.I32, shape.dims());
        MemorySegment.copy(MemorySegment.ofArray(values), 0, tensor.segment, 0, 4L * values.length);
        return tensor;
    }

    private static void rejectOtherCount(Shape shape, int values) {
        if (values != shape.elements()) {
            throw new IllegalArgumentException(values + " values for " + shape);
        }
    }

    public DType dtype() {
        return dtype;
    }

    public Shape shape() {
        return shape;
    }

    /** Distance in elements between neighbours along each axis, as a new array. */
    public long[] strides() {
        return strides.clone();
    }

    /** Whether the elements lie in row-major order without gaps; the stride of an axis of extent 1 does not matter. */
    public boolean isContiguous() {
        long step = 1;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            if (shape.dim(axis) != 1 && strides[axis] != step) {
                return shape.elements() == 0;
            }
            step *= shape.dim(axis);
        }
        return true;
    }

    /**
     * The memory of a contiguous tensor, exactly as long as its elements.
     *
     * @throws IllegalStateException if the tensor is a view with gaps, of another order, or of parts of bytes
     */
    public MemorySegment memory() {
        if (!isContiguous()) {
            throw new IllegalStateException("not contiguous: " + this);
        }
        if (offset * dtype.bits() % 8 != 0 || shape.elements() * dtype.bits() % 8 != 0) {
            throw new IllegalStateException("begins or ends within a byte: " + this);
        }
        return segment.asSlice(dtype.bytes(offset), dtype.bytes(shape.elements()));
    }

    /**
     * A row-major copy, element for element without decoding.
     *
     * @throws IllegalStateException if a row begins or ends within a byte, or its elements have gaps between them
     */
    public HostTensor copyContiguous(Arena arena) {
        int last = shape.rank() - 1;
        if (last < 0 || isContiguous()) {
            HostTensor copy = allocate(arena, dtype, shape.dims());
            MemorySegment.copy(memory(), 0, copy.segment, 0, copy.segment.byteSize());
            return copy;
        }
        long row = shape.dim(last);
        long step = Arrays.stream(strides)
                .limit(last)
                .reduce(row * dtype.bits(), (bits, stride) -> bits | stride * dtype.bits());
        if (strides[last] != 1 || (step | offset * dtype.bits()) % 8 != 0) {
            throw new IllegalStateException("rows with gaps or parts of bytes: " + this);
        }
        HostTensor copy = allocate(arena, dtype, shape.dims());
        long[] index = new long[shape.rank()];
        for (long at = 0; at < shape.elements(); at += row) {
            MemorySegment.copy(segment, dtype.bytes(position(index)), copy.segment, dtype.bytes(at), dtype.bytes(row));
            advance(index, last - 1);
        }
        return copy;
    }

    /** The next index of the axes up to {@code axis}, the last of them first. */
    private void advance(long[] index, int axis) {
        for (int i = axis; i >= 0 && ++index[i] == shape.dim(i); i--) {
            index[i] = 0;
        }
    }

    /** The same memory, seen as elements of another type and shape with the same number of bytes. */
    public HostTensor reinterpret(DType other, long... dims) {
        return wrap(memory(), other, Shape.of(dims));
    }

    /** The same elements in another shape. */
    public HostTensor reshape(long... dims) {
        return reinterpret(dtype, dims);
    }

    /**
     * Elements {@code from} to {@code to} (exclusive) along one axis, which counts from the end where negative; shares
     * memory.
     */
    public HostTensor slice(int along, long from, long to) {
        int axis = shape.axis(along);
        if (from < 0 || to < from || to > shape.dim(axis)) {
            throw new IndexOutOfBoundsException("[%s,%s) of axis %s of %s".formatted(from, to, axis, shape));
        }
        long[] dims = shape.dims();
        dims[axis] = to - from;
        return new HostTensor(
                segment,
                dtype,
                Shape.of(dims),
                strides,
                Math.addExact(offset, Math.multiplyExact(from, strides[axis])));
    }

    /** Two axes exchanged; a negative axis counts from the end; shares memory. */
    public HostTensor transpose(int one, int other) {
        int first = shape.axis(one);
        int second = shape.axis(other);
        long[] dims = shape.dims();
        long[] steps = strides.clone();
        dims[first] = shape.dim(second);
        dims[second] = shape.dim(first);
        steps[first] = strides[second];
        steps[second] = strides[first];
        return new HostTensor(segment, dtype, Shape.of(dims), steps, offset);
    }

    /** One element as a float; exact for every type but {@link DType#I32}. */
    public float get(long... index) {
        return Elements.get(segment, dtype, position(index));
    }

    /**
     * Rounds to the tensor's type, to nearest, ties to even.
     *
     * <p>Two {@link DType#E2M1} elements share a byte: two threads must not set both at once.
     */
    public void set(float value, long... index) {
        Elements.set(segment, dtype, position(index), value);
    }

    /** One element of an {@link DType#I32} tensor. */
    public int getInt(long... index) {
        return Elements.getInt(segment, dtype, position(index));
    }

    /** All elements in row-major order, decoded. */
    public float[] copyToFloats() {
        float[] values = new float[Math.toIntExact(shape.elements())];
        if (isContiguous()) {
            Elements.read(segment, dtype, offset, values, 0, values.length);
            return values;
        }
        // Row by row, so that a view with gaps between its rows, the usual one, still reads in runs.
        int row = (int) shape.dim(-1);
        long step = strides[shape.rank() - 1];
        long[] index = new long[shape.rank()];
        for (int at = 0; at < values.length; at += row) {
            long first = position(index);
            if (step == 1) {
                Elements.read(segment, dtype, first, values, at, row);
            } else {
                for (int i = 0; i < row; i++) {
                    values[at + i] = Elements.get(segment, dtype, first + (i * step));
                }
            }
            advance(index, shape.rank() - 2);
        }
        return values;
    }

    /** All elements of an {@link DType#I32} tensor in row-major order. */
    public int[] copyToInts() {
        if (dtype != DType.I32) {
            throw new IllegalStateException("not I32: " + this);
        }
        int[] values = new int[Math.toIntExact(shape.elements())];
        MemorySegment.copy(memory(), 0, MemorySegment.ofArray(values), 0, 4L * values.length);
        return values;
    }

    private long position(long... index) {
        if (index.length != shape.rank()) {
            throw new IndexOutOfBoundsException(index.length + " indices for " + shape);
        }
        long position = offset;
        for (int axis = 0; axis < index.length; axis++) {
            position += Objects.checkIndex(index[axis], shape.dim(axis)) * strides[axis];
        }
        return position;
    }

    @Override
    public String toString() {
        return dtype + " " + shape;
    }
}
