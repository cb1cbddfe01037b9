package layerwise.op;

import java.util.List;

/**
 * Every rank gets the sum of its own rows: {@code y_r = Σ_s x_s[first(r) .. first(r)+T_r]}, added up in rank order,
 * rounded once.
 *
 * @param x      {@code [ΣT,H]}, contiguous
 * @param y      {@code [T_r,H]}, contiguous, of x's type
 * @param tokens T_r of each rank
 */
public record ReduceScatter(TensorRef x, TensorRef y, RankTokens tokens) implements Operator {
    public ReduceScatter {
        Expect.rank("ReduceScatter", "x", x, 2);
        Expect.shape("ReduceScatter", "x", x, tokens.total(), x.dim(1));
        Expect.shape("ReduceScatter", "y", y, tokens.own(), x.dim(1));
        Expect.dtype("ReduceScatter", "y", y, x.dtype());
        Expect.contiguous("ReduceScatter", x, y);
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(y);
    }

    /** Over links: rows of other ranks go out once, sums of the own ones come in at least once. */
    @Override
    public Work work() {
        return new Work(
                (long) tokens.own() * x.dim(1) * (tokens.group().size() - 1),
                x.bytes() + y.bytes(),
                AllGather.rowBytes(x, tokens.linkRows()),
                Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d %s R%d"
                .formatted(x.dim(0), x.dim(1), x.dtype(), tokens.group().size());
    }
}
