package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * Rotary position embedding (Su et al. 2021, eq. 34) by a table of cosines and sines.
 *
 * @param x         {@code [T,Q,D]}, D even
 * @param positions {@code [T]} int32, below the table's first extent
 * @param table     {@code [positions, 2, D/2]} float32: cosines, then sines
 * @param y         {@code [T,Q,D]}
 * @param layout    which elements form a pair
 */
public record Rotary(TensorRef x, TensorRef positions, TensorRef table, TensorRef y, Layout layout)
        implements Operator {
    /** Which elements of a head rotate together. */
    public enum Layout {
        /** {@code (x[2i], x[2i+1])}, as in GPT-J and MLA. */
        INTERLEAVED,
        /** {@code (x[i], x[i+D/2])}, as in GPT-NeoX. */
        HALF_SPLIT
    }

    public Rotary {
        Expect.rank("Rotary", "x", x, 3);
        Expect.shape("Rotary", "positions", positions, x.dim(0));
        Expect.dtype("Rotary", "positions", positions, DType.I32);
        Expect.dtype("Rotary", "table", table, DType.F32);
        Expect.shape("Rotary", "table", table, table.dim(0), 2, x.dim(2) / 2);
        Expect.shape("Rotary", "y", y, x.dim(0), x.dim(1), x.dim(2));
        Expect.that(x.dim(2) % 2 == 0, "Rotary: head dimension %d is odd", x.dim(2));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, positions, table);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        long tableRows = Math.min(positions.dim(0), table.dim(0));
        return new Work(
                3 * x.shape().elements(),
                x.bytes() + y.bytes() + positions.bytes() + 4 * tableRows * x.dim(2),
                Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%dx%d".formatted(x.dim(0), x.dim(1), x.dim(2));
    }
}
