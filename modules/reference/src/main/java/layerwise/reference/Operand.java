package layerwise.reference;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import layerwise.op.TensorRef;
import layerwise.tensor.Elements;

/**
 * A tensor whose elements can be read and written. "Row" means a run along the last axis; rows are numbered in
 * row-major order of the axes before it.
 */
record Operand(MemorySegment memory, TensorRef tensor) {
    /** Number of rows. */
    long rows() {
        long rows = 1;
        for (int axis = 0; axis < tensor.rank() - 1; axis++) {
            rows *= tensor.dim(axis);
        }
        return rows;
    }

    /** Length of a row. */
    int width() {
        return (int) tensor.dim(-1);
    }

    private long start(long row) {
        long start = tensor.offset();
        long rest = row;
        for (int axis = tensor.rank() - 2; axis >= 0; axis--) {
            start += rest % tensor.dim(axis) * tensor.strides().step(axis);
            rest /= tensor.dim(axis);
        }
        return start;
    }

    void readRow(long row, float[] values) {
        long start = start(row);
        long step = tensor.strides().step(-1);
        if (step == 1) {
            Elements.read(memory, tensor.dtype(), start, values, 0, width());
            return;
        }
        for (int i = 0; i < width(); i++) {
            values[i] = Elements.get(memory, tensor.dtype(), start + i * step);
        }
    }

    float[] row(long row) {
        float[] values = new float[width()];
        readRow(row, values);
        return values;
    }

    void writeRow(long row, float[] values) {
        long start = start(row);
        long step = tensor.strides().step(-1);
        if (step == 1) {
            Elements.write(memory, tensor.dtype(), start, values, 0, width());
            return;
        }
        for (int i = 0; i < width(); i++) {
            Elements.set(memory, tensor.dtype(), start + i * step, values[i]);
        }
    }

    void writeRow(long row, double[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) values[i];
        }
        writeRow(row, rounded);
    }

    /** One element by its row and place in it. */
    float get(long row, long column) {
        return Elements.get(
                memory, tensor.dtype(), start(row) + column * tensor.strides().step(-1));
    }

    void set(long row, long column, float value) {
        Elements.set(
                memory, tensor.dtype(), start(row) + column * tensor.strides().step(-1), value);
    }

    int getInt(long row, long column) {
        return Elements.getInt(
                memory, tensor.dtype(), start(row) + column * tensor.strides().step(-1));
    }

    void setInt(long row, long column, int value) {
        Elements.setInt(
                memory, tensor.dtype(), start(row) + column * tensor.strides().step(-1), value);
    }

    /** Element {@code i} of a tensor of one axis. */
    int getInt(long i) {
        return getInt(0, i);
    }

    /** All rows, decoded. */
    float[][] decode() {
        float[][] all = new float[Math.toIntExact(rows())][];
        IntStream.range(0, all.length).parallel().forEach(i -> all[i] = row(i));
        return all;
    }
}
