package layerwise.kernels;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Buffer;
import layerwise.op.Operator;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;

/** Launches of collectives by whatever carries them. */
final class CollectiveLaunches {
    private CollectiveLaunches() {}

    static Launchable of(Preparation to, AllReduce op) {
        return switch (to.gpu().links().rule().reducing(op.x().bytes())) {
            case PEERS -> PeerLaunches.of(to, op);
            case NCCL -> NcclLaunches.of(to, op);
        };
    }

    static Launchable of(Preparation to, ReduceScatter op) {
        return switch (to.gpu().links().rule().spreading(op.x().bytes())) {
            case PEERS -> PeerLaunches.of(to, op);
            case NCCL -> NcclLaunches.of(to, op);
        };
    }

    static Launchable of(Preparation to, AllGather op) {
        return switch (to.gpu().links().rule().spreading(gathered(op))) {
            case PEERS -> PeerLaunches.of(to, op);
            case NCCL -> NcclLaunches.of(to, op);
        };
    }

    static Launchable of(Preparation to, AllToAllDispatch op) {
        return switch (to.gpu().links().rule().exchanging()) {
            case PEERS -> PeerExchanges.of(to, op);
            case NCCL -> NcclLaunches.of(to, op);
        };
    }

    static Launchable of(Preparation to, AllToAllCombine op) {
        return switch (to.gpu().links().rule().exchanging()) {
            case PEERS -> PeerExchanges.of(to, op);
            case NCCL -> NcclLaunches.of(to, op);
        };
    }

    private static long gathered(AllGather op) {
        return op.parts().stream().mapToLong(part -> part.y().bytes()).sum();
    }

    /** Buffers of a program that collectives want where all ranks reach them. */
    static Set<Buffer> reached(GpuLinks links, List<Operator> operators) {
        Set<Buffer> reached = new HashSet<>();
        if (links.peers().isPresent()) {
            for (Operator operator : operators) {
                reachedBy(operator).forEach(tensor -> reached.add(tensor.buffer()));
            }
        }
        return reached;
    }

    private static List<TensorRef> reachedBy(Operator operator) {
        return switch (operator) {
            case AllReduce op -> List.of(op.x());
            case ReduceScatter op -> List.of(op.x());
            case AllGather op -> op.inputs();
            case AllToAllDispatch op ->
                switch (op.method()) {
                    case NVLINK_ONE_SIDED, DEEP_EP_LOW_LATENCY -> op.outputs();
                    case NVLINK_TWO_SIDED, DEEP_EP -> op.inputs();
                };
            case AllToAllCombine op ->
                switch (op.method()) {
                    case NVLINK_ONE_SIDED -> op.wire() == AllToAllCombine.Wire.STORED ? List.of(op.x()) : List.of();
                    case NVLINK_TWO_SIDED, DEEP_EP, DEEP_EP_LOW_LATENCY -> List.of(op.ids());
                };
            default -> List.of(); // a collective that is missing here goes through copies
        };
    }
}
