package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * {@code y[t] = Σ_j weights[t,j] · x[slots[t,j]]}: experts' results back in token order; slots of −1 add nothing.
 *
 * @param x       {@code [P,H]}
 * @param slots   {@code [T,k]} int32
 * @param weights {@code [T,k]} float32
 * @param y       {@code [T,H]}
 * @param rows    rows of x that a slot names, for the cost
 */
public record Combine(TensorRef x, TensorRef slots, TensorRef weights, TensorRef y, long rows) implements Operator {
    public Combine {
        check("Combine", x.dim(0), slots, weights, y);
        Expect.shape("Combine", "x", x, slots.shape().elements(), y.dim(1));
        Expect.that(rows >= 0 && rows <= x.dim(0), "Combine: %d rows in use of %d", rows, x.dim(0));
    }

    /** A slot names every row: all experts live here. */
    public Combine(TensorRef x, TensorRef slots, TensorRef weights, TensorRef y) {
        this(x, slots, weights, y, x.dim(0));
    }

    static void check(String operator, long rows, TensorRef slots, TensorRef weights, TensorRef y) {
        Expect.rank(operator, "slots", slots, 2);
        Expect.dtype(operator, "slots", slots, DType.I32);
        Expect.dtype(operator, "weights", weights, DType.F32);
        Expect.shape(operator, "weights", weights, slots.dim(0), slots.dim(1));
        Expect.rank(operator, "y", y, 2);
        Expect.shape(operator, "y", y, slots.dim(0), y.dim(1));
        Expect.that(rows == slots.shape().elements(), "%s: %d rows for %s", operator, rows, slots);
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x, slots, weights);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    @Override
    public Work work() {
        long bytes = x.dtype().bytes(rows * x.dim(1)) + slots.bytes() + weights.bytes() + y.bytes();
        return new Work(2 * rows * x.dim(1), bytes, Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%dx%d%s"
                .formatted(y.dim(0), slots.dim(1), y.dim(1), rows == x.dim(0) ? "" : ", %d rows".formatted(rows));
    }
}
