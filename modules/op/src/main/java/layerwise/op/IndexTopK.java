package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * The positions of the greatest scores of each row, in no particular order: {@code min(k, position + 1)} of them, then
 * −1. Of equal scores at the border any may be chosen.
 *
 * @param logits    {@code [N,S]} float32, rows may have gaps; read up to the token's position
 * @param positions {@code [N]} int32
 * @param indices   {@code [N,k]} int32
 * @param visible   Σ (position + 1), which the host knows
 */
public record IndexTopK(TensorRef logits, TensorRef positions, TensorRef indices, long visible) implements Operator {
    public IndexTopK {
        Expect.rank("IndexTopK", "logits", logits, 2);
        Expect.dtype("IndexTopK", "logits", logits, DType.F32);
        Expect.shape("IndexTopK", "positions", positions, logits.dim(0));
        Expect.dtype("IndexTopK", "positions", positions, DType.I32);
        Expect.rank("IndexTopK", "indices", indices, 2);
        Expect.shape("IndexTopK", "indices", indices, logits.dim(0), indices.dim(1));
        Expect.dtype("IndexTopK", "indices", indices, DType.I32);
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(logits, positions);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(indices);
    }

    @Override
    public Work work() {
        return new Work(0, logits.dtype().bytes(visible) + positions.bytes() + indices.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%d of %dx%d".formatted(indices.dim(1), logits.dim(0), logits.dim(1));
    }
}
