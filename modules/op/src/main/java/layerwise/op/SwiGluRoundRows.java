package layerwise.op;

import java.util.List;
import java.util.Optional;
import layerwise.tensor.DType;

/**
 * {@link SwiGlu} and {@link RoundRows} of its result without the detour over memory: the result is rounded to bfloat16, as it
 * would have been stored, and then to E4M3.
 *
 * @param x      {@code [T,2I]} bfloat16
 * @param active one int32 that holds the number of rows in use at its end, where not all of T are
 * @param y      {@code [T,I]}, rounded
 * @param format what scales may be
 * @param rows   rows in use, for the cost
 */
public record SwiGluRoundRows(TensorRef x, Optional<TensorRef> active, Activations y, ScaleFormat format, long rows)
        implements Operator {
    public SwiGluRoundRows {
        Expect.dtype("SwiGluRoundRows", "x", x, DType.BF16);
        Expect.shape("SwiGluRoundRows", "x", x, y.rows(), 2 * y.width());
        RoundRows.checkRounded("SwiGluRoundRows", y, rows);
    }

    @Override
    public List<TensorRef> inputs() {
        return RoundRows.inputs(x, active);
    }

    @Override
    public List<TensorRef> outputs() {
        return y.tensors();
    }

    @Override
    public Work work() {
        long elements = rows * y.width();
        return new Work((5 + 2) * elements, x.dtype().bytes(2 * elements) + y.bytes(rows), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(rows, y.width());
    }
}
