package layerwise.op;

import java.util.ArrayList;
import java.util.List;
import layerwise.tensor.DType;

/**
 * Brings every token to the ranks that have one of its experts, each rank owning {@code E/R} experts in order.
 *
 * <p>Tensors on the receiving side are laid out as an {@link AllGather} leaves them, whatever the method does on the way:
 * token {@code t} of rank {@code r} has row {@code first(r)+t}. Ids and weights arrive for all rows; {@code y} holds a row
 * where this rank has one of the token's experts, and anything elsewhere.
 *
 * @param x       rows: {@code [T_r,H]} to {@code [ΣT,H]}
 * @param ids     chosen experts: {@code [T_r,k]} to {@code [ΣT,k]} int32
 * @param weights their weights: {@code [T_r,k]} to {@code [ΣT,k]} float32
 * @param tokens  T_r of each rank
 * @param experts E, of all ranks
 * @param method  how
 * @param load    rows that travel, for the cost
 */
public record AllToAllDispatch(
        AllGather.Part x,
        AllGather.Part ids,
        AllGather.Part weights,
        RankTokens tokens,
        int experts,
        AllToAllMethod method,
        ExchangeLoad load)
        implements Operator {
    public AllToAllDispatch {
        for (AllGather.Part part : List.of(x, ids, weights)) {
            AllGather.check("AllToAllDispatch", part, tokens);
        }
        Expect.dtype("AllToAllDispatch", "ids", ids.x(), DType.I32);
        Expect.dtype("AllToAllDispatch", "weights", weights.x(), DType.F32);
        Expect.shape(
                "AllToAllDispatch",
                "weights",
                weights.x(),
                tokens.own(),
                ids.x().dim(1));
        checkExperts("AllToAllDispatch", experts, tokens.group());
    }

    static void checkExperts(String operator, int experts, RankGroup group) {
        Expect.that(
                experts > 0 && experts % group.size() == 0,
                "%s: %d experts on %d ranks",
                operator,
                experts,
                group.size());
    }

    /** Experts of one rank. */
    public int expertsPerRank() {
        return experts / tokens.group().size();
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(x.x(), ids.x(), weights.x());
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(x.y(), ids.y(), weights.y());
    }

    /** In memory: own rows are read once, rows in use written once. Over links: rows, each with its ids and weights. */
    @Override
    public Work work() {
        double row = AllGather.rowBytes(x.x(), 1) + AllGather.rowBytes(ids.x(), 1) + AllGather.rowBytes(weights.x(), 1);
        long bytes = Math.round(row * (2.0 * tokens.own() + load.received()));
        return new Work(0, bytes, load.linkBytes(row), Arithmetic.F32);
    }

    @Override
    public String label() {
        List<String> parts = new ArrayList<>();
        parts.add("%dx%d %s".formatted(tokens.own(), x.x().dim(1), x.x().dtype()));
        parts.add("E%d top %d".formatted(experts, ids.x().dim(1)));
        parts.add("R%d %s".formatted(tokens.group().size(), method));
        return String.join(" ", parts);
    }
}
