package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * Sorts token-expert pairs by expert, keeping token order within one: the plan that grouped products follow.
 *
 * <p>Pair {@code p = t·k + j} belongs to expert {@code ids[t,j]}. Only the experts {@code first .. first+E-1} live here;
 * pairs of others get slot −1 and no row.
 *
 * @param ids     {@code [T,k]} int32
 * @param offsets {@code [E+1]} int32: first row of each local expert, then the number of rows in use
 * @param pairs   {@code [P]} int32, P = T·k: the pair of each row; −1 beyond those in use
 * @param slots   {@code [T,k]} int32: the row of each pair, −1 where its expert lives elsewhere
 * @param first   first expert that lives here
 */
public record SortByExpert(TensorRef ids, TensorRef offsets, TensorRef pairs, TensorRef slots, int first)
        implements Operator {
    public SortByExpert {
        Expect.rank("SortByExpert", "ids", ids, 2);
        for (TensorRef table : List.of(ids, offsets, pairs, slots)) {
            Expect.dtype("SortByExpert", table.buffer().name(), table, DType.I32);
        }
        Expect.shape("SortByExpert", "pairs", pairs, ids.shape().elements());
        Expect.shape("SortByExpert", "slots", slots, ids.dim(0), ids.dim(1));
        Expect.rank("SortByExpert", "offsets", offsets, 1);
    }

    /** Experts that live here. */
    public int experts() {
        return (int) offsets.dim(0) - 1;
    }

    @Override
    public List<TensorRef> inputs() {
        return List.of(ids);
    }

    @Override
    public List<TensorRef> outputs() {
        return List.of(offsets, pairs, slots);
    }

    @Override
    public Work work() {
        return new Work(0, ids.bytes() + offsets.bytes() + pairs.bytes() + slots.bytes(), Arithmetic.F32);
    }

    @Override
    public String label() {
        return "%dx%d over %d".formatted(ids.dim(0), ids.dim(1), experts());
    }
}
