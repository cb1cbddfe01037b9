package layerwise.op;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Optional;

/**
 * The rows of its outputs that an operator writes: all, unless tables in memory say that there is nothing for some.
 *
 * @param first the first of them
 * @param end   the first behind them
 */
public record RowsInUse(long first, long end) {
    /** Every row. */
    public static final RowsInUse ALL = new RowsInUse(0, Long.MAX_VALUE);

    public boolean holds(long row) {
        return row >= first && row < end;
    }

    /**
     * Those of an operator; the others are left.
     *
     * @param memory holds the operator's tables
     */
    public static RowsInUse of(Operator operator, Memory memory) {
        return switch (operator) {
            case GroupedLinear op -> range(op.offsets(), memory);
            case GatedGroupedLinear op -> range(op.offsets(), memory);
            case SwiGlu op -> used(op.active(), memory);
            case SwiGluRoundRows op -> used(op.active(), memory);
            case RoundRows op -> used(op.active(), memory);
            case SquaredRelu op -> used(op.active(), memory);
            case GatherRows op ->
                new RowsInUse(
                        0,
                        Arrays.stream(ints(op.pairs(), memory))
                                .filter(pair -> pair >= 0)
                                .count());
            // Rows of tokens that have no expert here hold anything.
            case AllToAllDispatch _ -> new RowsInUse(0, 0);
            // What lies beyond a token's position holds anything.
            case IndexLogits _ -> new RowsInUse(0, 0);
            case Linear _,
                    HeadLinear _,
                    RmsNorm _,
                    Add _,
                    AddRmsNorm _,
                    Rotary _,
                    LatentAppend _,
                    LatentGather _,
                    MlaRopeAppend _,
                    MlaPrefillAttention _,
                    MlaDecodeAttention _,
                    IndexQuery _,
                    IndexKeyAppend _,
                    IndexTopK _,
                    PoolRows _,
                    SparseMlaAttention _,
                    GqaPrefillAttention _,
                    GqaDecodeAttention _,
                    CausalConv1d _,
                    SsdChunkScan _,
                    SsdStateUpdate _,
                    DeltaRuleChunkScan _,
                    DeltaRuleUpdate _,
                    GatedRmsNorm _,
                    L2Norm _,
                    SigmoidGate _,
                    Route _,
                    SortByExpert _,
                    Combine _,
                    GroupedLinearCombine _,
                    AllReduce _,
                    AllGather _,
                    ReduceScatter _,
                    AllToAllCombine _ -> ALL;
        };
    }

    private static RowsInUse used(Optional<TensorRef> active, Memory memory) {
        return active.map(offsets -> new RowsInUse(0, range(offsets, memory).end()))
                .orElse(ALL);
    }

    private static RowsInUse range(TensorRef offsets, Memory memory) {
        int[] starts = ints(offsets, memory);
        return new RowsInUse(starts[0], starts[starts.length - 1]);
    }

    private static int[] ints(TensorRef table, Memory memory) {
        try (Arena arena = Arena.ofConfined()) {
            return memory.read(table, arena).copyToInts();
        }
    }
}
