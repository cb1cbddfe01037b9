package layerwise.op;

import java.lang.foreign.Arena;
import java.util.Arrays;

/** How many rows of its outputs an operator writes: all, unless tables in memory say that there is nothing for the last. */
public final class RowsInUse {
    private RowsInUse() {}

    /**
     * Rows that are written; those behind them are left.
     *
     * @param memory holds the operator's tables
     */
    public static long of(Operator operator, Memory memory) {
        return switch (operator) {
            case GroupedLinear op -> last(op.offsets(), memory);
            case GatedGroupedLinear op -> last(op.offsets(), memory);
            case SwiGlu op ->
                op.active().map(offsets -> last(offsets, memory)).orElse(op.y().dim(0));
            case GatherRows op ->
                Arrays.stream(ints(op.pairs(), memory))
                        .filter(pair -> pair >= 0)
                        .count();
            // Rows of tokens that have no expert here hold anything.
            case AllToAllDispatch _ -> 0;
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
                    Route _,
                    SortByExpert _,
                    Combine _,
                    GroupedLinearCombine _,
                    AllReduce _,
                    AllGather _,
                    ReduceScatter _,
                    AllToAllCombine _ -> Long.MAX_VALUE;
        };
    }

    private static long last(TensorRef offsets, Memory memory) {
        int[] starts = ints(offsets, memory);
        return starts[starts.length - 1];
    }

    private static int[] ints(TensorRef table, Memory memory) {
        try (Arena arena = Arena.ofConfined()) {
            return memory.read(table, arena).copyToInts();
        }
    }
}
