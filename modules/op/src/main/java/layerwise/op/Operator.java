package layerwise.op;

import java.util.List;

/**
 * One operation of a layer: an immutable record that names its tensors, checks them, and knows its own least work.
 *
 * <p>Operators write their outputs completely and read nothing that they write. A {@code switch} over this family has no
 * {@code default}: a new operator is a compile error wherever it is not handled yet.
 */
public sealed interface Operator
        permits Linear,
                HeadLinear,
                RmsNorm,
                Add,
                AddRmsNorm,
                SwiGlu,
                SwiGluRoundRows,
                Rotary,
                LatentAppend,
                LatentGather,
                MlaRopeAppend,
                MlaPrefillAttention,
                MlaDecodeAttention,
                IndexQuery,
                IndexKeyAppend,
                IndexLogits,
                IndexTopK,
                PoolRows,
                SparseMlaAttention,
                GqaPrefillAttention,
                GqaDecodeAttention,
                Route,
                SortByExpert,
                RoundRows,
                GatherRows,
                GroupedLinear,
                GatedGroupedLinear,
                Combine,
                GroupedLinearCombine,
                CausalConv1d,
                SsdChunkScan,
                SsdStateUpdate,
                L2Norm,
                DeltaRuleChunkScan,
                DeltaRuleUpdate,
                GatedRmsNorm,
                SquaredRelu,
                SigmoidGate,
                AllReduce,
                AllGather,
                ReduceScatter,
                AllToAllDispatch,
                AllToAllCombine {
    /** Tensors that are read, weights and tables included. */
    List<TensorRef> inputs();

    /** Tensors that are written. */
    List<TensorRef> outputs();

    /** The least work: each input read once, each output written once, weights of activated experts only. */
    Work work();

    /** The sizes that matter, as in {@code 128x24576x1536 nvfp4}. */
    String label();

    /** The operator's name in traces and tables. */
    default String name() {
        return getClass().getSimpleName();
    }
}
