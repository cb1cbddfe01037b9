package layerwise.kernels;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import layerwise.cuda.DeviceBuffer;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.MatmulPlan;
import layerwise.cuda.SharedMemory;
import layerwise.cuda.TensorMap;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Buffer;
import layerwise.op.CausalConv1d;
import layerwise.op.Combine;
import layerwise.op.Contents;
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
import layerwise.op.Lane;
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
import layerwise.op.Scaling;
import layerwise.op.SigmoidGate;
import layerwise.op.SortByExpert;
import layerwise.op.SparseMlaAttention;
import layerwise.op.SquaredRelu;
import layerwise.op.SsdChunkScan;
import layerwise.op.SsdStateUpdate;
import layerwise.op.SwiGlu;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.op.WeightPath;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/** Turns operators into launches: the switch over the family, and what all launches of one execution share. */
final class Preparation {
    /** Workspace that cuBLASLt may use on each lane: NVIDIA recommends 32 MiB for Hopper. */
    static final long PRODUCT_WORKSPACE = 32L << 20;

    private final GpuContext gpu;
    private final CudaMemory memory;
    private final Arena arena;
    private final List<MatmulPlan> plans = new ArrayList<>();
    private final List<WeightPath> paths = new ArrayList<>();
    private final List<String> kernels = new ArrayList<>();
    private int scratches;

    Preparation(GpuContext gpu, CudaMemory memory, Arena arena) {
        this.gpu = gpu;
        this.memory = memory;
        this.arena = arena;
    }

    Launchable prepare(Operator operator, Lane lane) {
        return switch (operator) {
            case Linear op -> DenseLaunches.of(this, op, lane);
            case HeadLinear op -> HeadLinearLaunches.of(this, op, lane);
            case RmsNorm op -> PointwiseLaunches.of(this, op);
            case Add op -> PointwiseLaunches.of(this, op);
            case AddRmsNorm op -> PointwiseLaunches.of(this, op);
            case SwiGlu op -> PointwiseLaunches.of(this, op);
            case SwiGluRoundRows op -> PointwiseLaunches.of(this, op);
            case RoundRows op -> PointwiseLaunches.of(this, op);
            case Rotary op -> LatentLaunches.of(this, op);
            case LatentAppend op -> LatentLaunches.of(this, op);
            case LatentGather op -> LatentLaunches.of(this, op);
            case MlaRopeAppend op -> LatentLaunches.of(this, op);
            case MlaPrefillAttention op -> AttentionLaunches.of(this, op);
            case MlaDecodeAttention op -> AttentionLaunches.of(this, op);
            case IndexQuery op -> IndexerLaunches.of(this, op);
            case IndexKeyAppend op -> IndexerLaunches.of(this, op);
            case IndexLogits op -> SparseLaunches.of(this, op);
            case IndexTopK op -> IndexerLaunches.of(this, op);
            case PoolRows op -> IndexerLaunches.of(this, op);
            case SparseMlaAttention op -> SparseLaunches.of(this, op);
            case GqaPrefillAttention op -> GqaLaunches.of(this, op);
            case GqaDecodeAttention op -> GqaLaunches.of(this, op);
            case Route op -> RoutingLaunches.of(this, op);
            case SortByExpert op -> RoutingLaunches.of(this, op);
            case GatherRows op -> RoutingLaunches.of(this, op);
            case Combine op -> RoutingLaunches.of(this, op);
            case GroupedLinear op -> ExpertLaunches.of(this, op, lane);
            case GatedGroupedLinear op -> ExpertLaunches.of(this, op, lane);
            case GroupedLinearCombine op ->
                throw new IllegalStateException(
                        "no kernel weighs and adds experts' rows; the executor does not ask for it");
            case CausalConv1d op -> RecurrentLaunches.of(this, op);
            case GatedRmsNorm op -> HeadLaunches.of(this, op);
            case L2Norm op -> HeadLaunches.of(this, op);
            case SquaredRelu op -> PointwiseLaunches.of(this, op);
            case SigmoidGate op -> HeadLaunches.of(this, op);
            case SsdChunkScan op -> ChunkLaunches.of(this, op, lane);
            case SsdStateUpdate op -> RecurrentLaunches.of(this, op, op.ssm());
            case DeltaRuleChunkScan op -> ChunkLaunches.of(this, op, lane);
            case DeltaRuleUpdate op -> RecurrentLaunches.of(this, op, op.rule());
            case AllReduce op -> CollectiveLaunches.of(this, op);
            case AllGather op -> CollectiveLaunches.of(this, op);
            case ReduceScatter op -> CollectiveLaunches.of(this, op);
            case AllToAllDispatch op -> CollectiveLaunches.of(this, op);
            case AllToAllCombine op -> CollectiveLaunches.of(this, op);
        };
    }

    GpuContext gpu() {
        return gpu;
    }

    CudaMemory memory() {
        return memory;
    }

    /** Lives as long as the launches. */
    Arena arena() {
        return arena;
    }

    long address(TensorRef tensor) {
        return memory.address(tensor);
    }

    /** Where all ranks reach a tensor: where it lies, or in a copy; ranks ask for the same tensors in the same order. */
    Reached reach(TensorRef tensor) {
        Optional<SharedMemory> placed = memory.shared(tensor.buffer());
        if (placed.isPresent()) {
            return Reached.placed(placed.get().addresses().plus(tensor.dtype().bytes(tensor.offset())));
        }
        SharedMemory copy = memory.share(tensor.bytes());
        return Reached.copied(memory.place(tensor), copy.own(), copy.addresses());
    }

    /** A launch of a kernel, its arguments still to be given. */
    KernelCall call(String operation, String symbol, LaunchShape shape) {
        launches(symbol);
        return new KernelCall(gpu.kernels().kernel(operation, symbol), shape, arena);
    }

    /** A tensor map of the execution's lifetime: {@link TensorMap#tiled}. */
    TensorMap map(DType dtype, long address, long[] extents, long[] strideBytes, int[] box, TensorMap.Swizzle swizzle) {
        return TensorMap.tiled(arena, dtype, address, extents, strideBytes, box, swizzle);
    }

    /** A plan that is closed with the execution. */
    MatmulPlan own(MatmulPlan plan) {
        plans.add(plan);
        return plan;
    }

    /** Notes what a launch runs. */
    void launches(String kernel) {
        kernels.add(kernel);
    }

    /** What was noted so far, in this order. */
    List<String> kernels() {
        return kernels;
    }

    List<MatmulPlan> plans() {
        return plans;
    }

    /** Notes what reads a weight of bfloat16, or the copy in bfloat16 that is kept beside another. */
    void path(Weight weight, String path) {
        boolean copied = !(weight.scaling() instanceof Scaling.None);
        paths.add(new WeightPath(weight, (copied ? "expanded to bf16 once, " : "") + path, copied));
    }

    /** Notes what reads a copy of a weight in bfloat16 that is made in every step. */
    void pathOfExpanded(Weight weight, String path) {
        paths.add(new WeightPath(weight, "expanded to bf16 in each step, " + path, true));
    }

    /** Notes what reads a weight in its own format. */
    void pathAsStored(Weight weight, String path) {
        paths.add(new WeightPath(weight, path, false));
    }

    List<WeightPath> paths() {
        return paths;
    }

    /** Memory that one launch alone uses. */
    long scratch(long bytes) {
        Buffer buffer = Buffer.of("#scratch" + scratches++, DType.I8, bytes);
        memory.putHere(buffer, new Contents.Undefined());
        return memory.address(buffer.whole());
    }

    /** The same, zeros before the first launch; launches leave zeros behind. */
    long zeros(long bytes) {
        Buffer buffer = Buffer.of("#scratch" + scratches++, DType.I8, bytes);
        memory.putHere(buffer, new Contents.Zeros());
        return memory.address(buffer.whole());
    }

    /** Memory that launches of one lane use one after the other: those that ask for the same share it. */
    TensorRef scratch(Lane lane, DType dtype, long... dims) {
        Buffer buffer = Buffer.of("#scratch.%s.%s%s".formatted(lane, dtype, Arrays.toString(dims)), dtype, dims);
        if (!memory.holds(buffer)) {
            memory.put(buffer, new Contents.Undefined());
        }
        return buffer.whole();
    }

    /** The address of bytes of such memory. */
    long scratch(Lane lane, long bytes) {
        return address(scratch(lane, DType.I8, bytes));
    }

    /** cuBLASLt's workspace of a lane: launches of one lane follow each other and share it. */
    DeviceBuffer productWorkspace(Lane lane) {
        Buffer anchor = Buffer.of("#products." + lane, DType.I8, 1);
        if (!memory.holds(anchor)) {
            memory.put(anchor, new Contents.Undefined());
        }
        return memory.companion(anchor, "workspace", PRODUCT_WORKSPACE, made -> {});
    }

    /** Refuses activations that the kernels do not take. */
    static void requireBf16(Operator operator, TensorRef... tensors) {
        for (TensorRef tensor : tensors) {
            if (tensor.dtype() != DType.BF16) {
                throw new ConfigException("device: %s with %s: expected bfloat16 on a GPU, or --device reference"
                        .formatted(operator.name(), tensor));
            }
        }
    }
}
