package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * Makes the lightning indexer's queries ready for {@link IndexLogits}: the first Dr elements of a head are rotated in
 * halves; where the result is E4M3, the head is then multiplied with the Hadamard matrix of order D over √D and divided by
 * its scale, the power of two at or above {@code max(amax, 1e-4) / 448}. All in float32, each operation rounded by itself.
 *
 * <pre>{@code scaled[t,h] = weights[t,h] · (Q·D)^-½ · scale[t,h]}</pre>
 *
 * @param q         {@code [T,Q,D]}
 * @param weights   {@code [T,Q]} float32
 * @param positions {@code [T]} int32
 * @param table     {@code [positions, 2, Dr/2]} float32: cosines, then sines
 * @param y         {@code [T,Q,D]}, E4M3 or float32
 * @param scaled    {@code [T,Q]} float32
 * @see <a href="https://github.com/deepseek-ai/DeepSeek-V3.2-Exp">DeepSeek-AI 2025, §2.1</a>
 */
public record IndexQuery(
        TensorRef q, TensorRef weights, TensorRef positions, TensorRef table, TensorRef y, TensorRef scaled)
        implements Operator {
    public IndexQuery {
        Expect.rank("IndexQuery", "q", q, 3);
        Expect.dtype("IndexQuery", "weights", weights, DType.F32);
        Expect.dtype("IndexQuery", "scaled", scaled, DType.F32);
        Expect.dtype("IndexQuery", "positions", positions, DType.I32);
        Expect.shape("IndexQuery", "weights", weights, q.dim(0), q.dim(1));
        Expect.shape("IndexQuery", "scaled", scaled, q.dim(0), q.dim(1));
        Expect.shape("IndexQuery", "positions", positions, q.dim(0));
        Expect.shape("IndexQuery", "y", y, q.dim(0), q.dim(1), q.dim(2));
        Expect.rank("IndexQuery", "table", table, 3);
        Expect.that(2 * table.dim(2) <= q.dim(2), "IndexQuery: rotation of %d in %s", 2 * table.dim(2), q);
        requireHadamard("IndexQuery", y);
    }

    static void requireHadamard(String operator, TensorRef y) {
        Expect.that(
                y.dtype() != DType.E4M3 || Long.bitCount(y.dim(-1)) == 1,
                "%s: a Hadamard matrix of order %d",
                operator,
                y.dim(-1));
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(q, weights, positions, table);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y, scaled);
    }

    @Override
    public Work work() {
        long rotated = q.dim(0) * q.dim(1) * 2 * table.dim(2);
        long hadamard = y.dtype() == DType.E4M3 ? q.shape().elements() * (Long.numberOfTrailingZeros(q.dim(2)) + 1) : 0;
        return new Work(
                3 * rotated + hadamard,
                q.bytes() + weights.bytes() + positions.bytes() + y.bytes() + scaled.bytes(),
                Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%dx%d %s".formatted(q.dim(0), q.dim(1), q.dim(2), y.dtype());
    }
}
