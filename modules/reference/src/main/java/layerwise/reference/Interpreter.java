package layerwise.reference;

import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.CausalConv1d;
import layerwise.op.Combine;
import layerwise.op.Communicator;
import layerwise.op.DeltaRuleChunkScan;
import layerwise.op.DeltaRuleUpdate;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GatedRmsNorm;
import layerwise.op.GatherRows;
import layerwise.op.GqaDecodeAttention;
import layerwise.op.GqaPrefillAttention;
import layerwise.op.GroupedLinear;
import layerwise.op.GroupedLinearCombine;
import layerwise.op.HeadLinear;
import layerwise.op.IndexKeyAppend;
import layerwise.op.IndexLogits;
import layerwise.op.IndexQuery;
import layerwise.op.IndexTopK;
import layerwise.op.L2Norm;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.Linear;
import layerwise.op.MlaDecodeAttention;
import layerwise.op.MlaPrefillAttention;
import layerwise.op.MlaRopeAppend;
import layerwise.op.Operator;
import layerwise.op.PoolRows;
import layerwise.op.ReduceScatter;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.RoundRows;
import layerwise.op.Route;
import layerwise.op.SigmoidGate;
import layerwise.op.SortByExpert;
import layerwise.op.SparseMlaAttention;
import layerwise.op.SquaredRelu;
import layerwise.op.SsdChunkScan;
import layerwise.op.SsdStateUpdate;
import layerwise.op.SwiGlu;
import layerwise.op.SwiGluRoundRows;

/** Computes one operator: the switch over the family. */
final class Interpreter {
    private final Products products;
    private final Pointwise pointwise;
    private final RoundedRows rounded;
    private final LatentCaches caches;
    private final MlaAttention attention;
    private final Indexer indexer;
    private final SparseAttention sparse;
    private final GqaAttention grouped;
    private final Experts experts;
    private final Gates gates;
    private final StateSpaces stateSpaces;
    private final DeltaRules deltaRules;
    private final Collectives collectives;

    Interpreter(ReferenceMemory memory, Communicator communicator, Sampling sampling) {
        products = new Products(memory::operand, sampling);
        pointwise = new Pointwise(memory::operand);
        rounded = new RoundedRows(memory::operand);
        caches = new LatentCaches(memory::operand);
        attention = new MlaAttention(memory::operand, sampling);
        indexer = new Indexer(memory::operand, sampling);
        sparse = new SparseAttention(memory::operand, sampling);
        grouped = new GqaAttention(memory::operand, sampling);
        experts = new Experts(memory::operand);
        gates = new Gates(memory::operand);
        stateSpaces = new StateSpaces(memory::operand);
        deltaRules = new DeltaRules(memory::operand);
        collectives = new Collectives(memory::operand, communicator);
    }

    void run(Operator operator) {
        switch (operator) {
            case Linear op -> products.run(op);
            case HeadLinear op -> products.run(op);
            case GroupedLinear op -> products.run(op);
            case GatedGroupedLinear op -> products.run(op);
            case GroupedLinearCombine op -> products.run(op);
            case RmsNorm op -> pointwise.run(op);
            case Add op -> pointwise.run(op);
            case AddRmsNorm op -> pointwise.run(op);
            case SwiGlu op -> pointwise.run(op);
            case SwiGluRoundRows op -> rounded.run(op);
            case RoundRows op -> rounded.run(op);
            case Rotary op -> pointwise.run(op);
            case LatentAppend op -> caches.run(op);
            case LatentGather op -> caches.run(op);
            case MlaRopeAppend op -> {
                pointwise.run(op.norm());
                pointwise.run(op.query());
                pointwise.run(op.key());
                caches.run(op.append());
            }
            case MlaPrefillAttention op -> attention.run(op);
            case MlaDecodeAttention op -> attention.run(op);
            case IndexQuery op -> indexer.run(op);
            case IndexKeyAppend op -> indexer.run(op);
            case IndexLogits op -> indexer.run(op);
            case IndexTopK op -> indexer.run(op);
            case PoolRows op -> indexer.run(op);
            case SparseMlaAttention op -> sparse.run(op);
            case GqaPrefillAttention op -> grouped.run(op);
            case GqaDecodeAttention op -> grouped.run(op);
            case Route op -> experts.run(op);
            case SortByExpert op -> experts.run(op);
            case GatherRows op -> experts.run(op);
            case Combine op -> experts.run(op);
            case CausalConv1d op -> gates.run(op);
            case GatedRmsNorm op -> gates.run(op);
            case L2Norm op -> gates.run(op);
            case SquaredRelu op -> gates.run(op);
            case SigmoidGate op -> gates.run(op);
            case SsdChunkScan op -> stateSpaces.run(op);
            case SsdStateUpdate op -> stateSpaces.run(op);
            case DeltaRuleChunkScan op -> deltaRules.run(op);
            case DeltaRuleUpdate op -> deltaRules.run(op);
            case AllReduce op -> collectives.run(op);
            case AllGather op -> collectives.run(op);
            case ReduceScatter op -> collectives.run(op);
            case AllToAllDispatch op -> collectives.run(op);
            case AllToAllCombine op -> collectives.run(op);
        }
    }
}
