package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Batch;
import layerwise.op.CausalConv1d;
import layerwise.op.Combine;
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
import layerwise.op.Memory;
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
import layerwise.op.TensorRef;
import layerwise.reference.Sample;
import layerwise.reference.Sampling;

/**
 * What the reference computes of an operator: everything up to {@link #WHOLE} operations, above that at least {@link
 * #ROWS} rows, edges of tiles among them, of products each in a part of the columns.
 *
 * @param memory the device's, which knows how many rows each expert has
 */
record SamplePlan(Memory memory, long seed) implements Sampling {
    /** Floating-point operations up to which an operator is computed whole. */
    static final long WHOLE = 20_000_000_000L;

    /** Rows of a sample. */
    static final int ROWS = 4096;

    /** Operations that the sample of a product takes about. */
    private static final double SAMPLED = 5e9;

    /** Kernels' tiles have this many rows or multiples of them; the smaller ones of short inputs are not sampled. */
    private static final int TILE = 64;

    @Override
    public Sample of(Operator operator, long rows) {
        if (operator.work().flops() <= WHOLE) {
            return Sample.all(rows);
        }
        return switch (operator) {
            case Linear op -> columnwise(op, rows, edges(0, (int) rows));
            case GroupedLinear op -> columnwise(op, rows, expertEdges(op.offsets()));
            case GatedGroupedLinear op -> columnwise(op, rows, expertEdges(op.offsets()));
            case HeadLinear op ->
                rowwise(
                        rows,
                        headEdges(
                                Batch.uniform(1, (int) op.x().dim(0), 0), op.x().dim(1)));
            case MlaPrefillAttention op ->
                rowwise(rows, headEdges(op.paged().batch(), op.q().dim(1)));
            case MlaDecodeAttention op ->
                rowwise(rows, headEdges(op.paged().batch(), op.q().dim(1)));
            case IndexLogits op -> columnwise(op, rows, edges(0, (int) rows));
            case SparseMlaAttention op ->
                rowwise(rows, headEdges(op.batch(), op.q().dim(1)));
            case GqaPrefillAttention op ->
                rowwise(rows, headEdges(op.paged().batch(), op.q().dim(1)));
            case GqaDecodeAttention op ->
                rowwise(rows, headEdges(op.paged().batch(), op.q().dim(1)));
            case RmsNorm _,
                    Add _,
                    AddRmsNorm _,
                    SwiGlu _,
                    SwiGluRoundRows _,
                    RoundRows _,
                    Rotary _,
                    LatentAppend _,
                    LatentGather _,
                    MlaRopeAppend _,
                    IndexQuery _,
                    IndexKeyAppend _,
                    IndexTopK _,
                    PoolRows _,
                    Route _,
                    SortByExpert _,
                    GatherRows _,
                    Combine _,
                    GroupedLinearCombine _,
                    AllReduce _,
                    AllGather _,
                    ReduceScatter _,
                    AllToAllDispatch _,
                    AllToAllCombine _,
                    CausalConv1d _,
                    SsdChunkScan _,
                    SsdStateUpdate _,
                    DeltaRuleChunkScan _,
                    DeltaRuleUpdate _,
                    GatedRmsNorm _,
                    L2Norm _,
                    SquaredRelu _,
                    SigmoidGate _ -> Sample.all(rows);
        };
    }

    private Sample columnwise(Operator operator, long rows, SortedSet<Integer> edges) {
        double share = Math.min(1, Math.max(ROWS, edges.size()) / (double) rows);
        int groups = (int) Math.ceil(share * operator.work().flops() / SAMPLED);
        return Sample.of(rows, edges, ROWS, groups, seed);
    }

    private Sample rowwise(long rows, SortedSet<Integer> edges) {
        return Sample.of(rows, edges, ROWS, 1, seed);
    }

    /** First and last row of each tile. */
    private static SortedSet<Integer> edges(int from, int to) {
        SortedSet<Integer> edges = new TreeSet<>();
        for (int row = from; row < to; row += TILE) {
            edges.add(row);
            edges.add(Math.min(row + TILE, to) - 1);
        }
        return edges;
    }

    /** First and last row of each expert's tiles. */
    private SortedSet<Integer> expertEdges(TensorRef offsets) {
        SortedSet<Integer> edges = new TreeSet<>();
        try (Arena arena = Arena.ofConfined()) {
            int[] starts = memory.read(offsets, arena).copyToInts();
            for (int e = 0; e + 1 < starts.length; e++) {
                edges.addAll(edges(starts[e], starts[e + 1]));
            }
        }
        return edges;
    }

    /** First and last token of each sequence's tiles, each with one head; rows are token by token, head by head. */
    private SortedSet<Integer> headEdges(Batch batch, long heads) {
        Random random = new Random(seed);
        SortedSet<Integer> edges = new TreeSet<>();
        int first = 0;
        for (int queries : batch.queries()) {
            for (int token : edges(first, first + queries)) {
                edges.add(Math.toIntExact(token * heads + random.nextInt((int) heads)));
            }
            first += queries;
        }
        return edges;
    }
}
