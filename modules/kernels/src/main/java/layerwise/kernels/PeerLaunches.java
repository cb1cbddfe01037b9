package layerwise.kernels;

import java.util.ArrayList;
import java.util.List;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.PeerGroup;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.Operator;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;

/** Launches of kernels/peer_all_reduce.cu, peer_reduce_scatter.cu and peer_all_gather.cu. */
final class PeerLaunches {
    /** Blocks of a collective at most: {@code MOST_BLOCKS} of common/peers.cuh. */
    private static final int MOST_BLOCKS = 48;

    private static final int THREADS = 512;

    private PeerLaunches() {}

    static Launchable of(Preparation to, AllReduce op) {
        Reached x = to.reach(op.x());
        KernelCall call = to.call(
                        "peer_all_reduce",
                        "peer_all_reduce_" + type(op, op.x()),
                        shape(op.x().bytes()))
                .struct(group(to).struct(to.arena()))
                .pointer(to.address(op.y()))
                .struct(x.addresses().struct(to.arena()))
                .wide(op.x().shape().elements());
        return Launchable.sequence(x.fetch(), call);
    }

    static Launchable of(Preparation to, ReduceScatter op) {
        Reached x = to.reach(op.x());
        KernelCall call = to.call(
                        "peer_reduce_scatter",
                        "peer_reduce_scatter_" + type(op, op.x()),
                        shape(most(op.tokens()) * rowBytes(op.x())))
                .struct(group(to).struct(to.arena()))
                .pointer(to.address(op.y()))
                .struct(x.addresses().struct(to.arena()))
                .wide(op.tokens().first() * op.x().dim(1))
                .wide(op.y().shape().elements());
        return Launchable.sequence(x.fetch(), call);
    }

    static Launchable of(Preparation to, AllGather op) {
        if (op.parts().size() > PeerStructs.MOST_PARTS) {
            throw new IllegalArgumentException(
                    op.label() + ": expected at most " + PeerStructs.MOST_PARTS + " tensors at once");
        }
        List<PeerStructs.Part> parts = new ArrayList<>();
        List<Launchable> launches = new ArrayList<>();
        long bytes = 0;
        for (AllGather.Part part : op.parts()) {
            Reached x = to.reach(part.x());
            launches.add(x.fetch());
            parts.add(new PeerStructs.Part(x.addresses(), to.address(part.y()), rowBytes(part.x())));
            bytes = Math.max(bytes, part.y().bytes());
        }
        launches.add(to.call("peer_all_gather", "peer_all_gather_u8", shape(bytes))
                .struct(group(to).struct(to.arena()))
                .struct(PeerStructs.gatherParts(parts, to.arena()))
                .struct(PeerStructs.rowStarts(op.tokens(), to.arena())));
        return Launchable.sequence(launches);
    }

    /** A grid that all ranks take: as many blocks as move the bytes at once, 16 a thread, up to the most. */
    static LaunchShape shape(long bytes) {
        return LaunchShape.of(Math.clamp(Math.ceilDiv(bytes, 16L * THREADS), 1, MOST_BLOCKS), THREADS);
    }

    static PeerGroup group(Preparation to) {
        return to.gpu().links().peers().orElseThrow();
    }

    /** Rows of the rank that has most. */
    static long most(RankTokens tokens) {
        return tokens.counts().stream().mapToInt(Integer::intValue).max().orElseThrow();
    }

    static long rowBytes(TensorRef tensor) {
        return tensor.dtype().bytes(tensor.dim(1));
    }

    static String type(Operator op, TensorRef tensor) {
        return switch (tensor.dtype()) {
            case BF16 -> "bf16";
            case F32 -> "f32";
            case F16, E4M3, E5M2, E2M1, UE8M0, I32, I8 ->
                throw new ConfigException(
                        "device: %s with %s: expected bfloat16 or float32 on a GPU, or --device reference"
                                .formatted(op.name(), tensor));
        };
    }
}
