package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.tensor.DType;

/**
 * Rows as products with block-scaled FP8 weights see them: {@code y[t,k] = e4m3(x[t,k] / scale[t,k/128])}, a scale being
 * {@code max |x| / 448} over its 128 elements, at least {@code 1e-4 / 448}.
 *
 * @param x      {@code [T,K]} bfloat16
 * @param active one int32 that holds the number of rows in use at its end, where not all of T are: the last element of
 *               {@link SortByExpert}'s offsets
 * @param y      {@code [T,K]}, rounded
 * @param format what scales may be
 * @param rows   rows in use, for the cost
 * @see <a href="https://arxiv.org/abs/2412.19437">DeepSeek-AI 2024, §3.3.1</a>
 */
public record RoundRows(TensorRef x, Optional<TensorRef> active, Activations y, ScaleFormat format, long rows)
        implements Operator {
    public RoundRows {
        Expect.dtype("RoundRows", "x", x, DType.BF16);
        Expect.shape("RoundRows", "x", x, y.rows(), y.width());
        checkRounded("RoundRows", y, rows);
    }

    static void checkRounded(String operator, Activations y, long rows) {
        Expect.that(y.isRounded(), "%s: no codes: %s", operator, y);
        Expect.that(rows >= 0 && rows <= y.rows(), "%s: %d rows in use of %d", operator, rows, y.rows());
    }

    @Override
    public List<TensorRef> inputs() {
        return inputs(x, active);
    }

    static List<TensorRef> inputs(TensorRef x, Optional<TensorRef> active) {
        List<TensorRef> all = new ArrayList<>(List.of(x));
        active.ifPresent(all::add);
        return List.copyOf(all);
    }

    @Override
    public List<TensorRef> outputs() {
        return y.tensors();
    }

    /** An element's magnitude is compared, and it is divided. */
    @Override
    public Work work() {
        long elements = rows * y.width();
        return new Work(2 * elements, x.dtype().bytes(elements) + y.bytes(rows), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d".formatted(rows, y.width());
    }
}
