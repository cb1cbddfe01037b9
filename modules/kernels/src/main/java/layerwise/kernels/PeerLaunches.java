package layerwise.kernels;

import java.util.ArrayList;
import java.util.List;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.PeerAddresses;
import layerwise.cuda.PeerGroup;
import layerwise.cuda.SharedMemory;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Operator;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;

/** Launches of kernels/peer_*.cu: collectives over memory that all ranks reach. */
final class PeerLaunches {
    /** Blocks of a collective at most: {@code MOST_BLOCKS} of common/peers.cuh. */
    private static final int MOST_BLOCKS = 48;

    private static final int THREADS = 512;

    /** Chosen experts of a token at most: a lane of a warp looks at each. */
    private static final int MOST_CHOSEN = 32;

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

    static Launchable of(Preparation to, AllToAllDispatch op) {
        checkChosen(op, op.ids().x());
        Reached y = to.reach(op.x().y());
        Reached ids = to.reach(op.ids().y());
        Reached weights = to.reach(op.weights().y());
        KernelCall call = to.call(
                        "peer_dispatch",
                        "peer_dispatch_u8",
                        shape(most(op.tokens()) * rowBytes(op.x().x())))
                .struct(group(to).struct(to.arena()))
                .struct(y.addresses().struct(to.arena()))
                .struct(ids.addresses().struct(to.arena()))
                .struct(weights.addresses().struct(to.arena()))
                .pointer(to.address(op.x().x()))
                .pointer(to.address(op.ids().x()))
                .pointer(to.address(op.weights().x()))
                .wide(op.tokens().own())
                .wide(rowBytes(op.x().x()))
                .wide(op.tokens().first())
                .size(op.ids().x().dim(1))
                .number(op.expertsPerRank());
        // What no rank sends stays as it is, so the places that peers reach start with it.
        return Launchable.sequence(List.of(y.fetch(), call, y.store(), ids.store(), weights.store()));
    }

    static Launchable of(Preparation to, AllToAllCombine op) {
        checkChosen(op, op.ids());
        return switch (op.wire()) {
            case STORED -> {
                Reached x = to.reach(op.x());
                yield Launchable.sequence(x.fetch(), stored(to, op, group(to), x.addresses()));
            }
            case FP8 -> {
                Fp8Wire wire = new Fp8Wire(to, op);
                SharedMemory codes =
                        to.memory().share(wire.codeBytes(op.tokens().total()));
                SharedMemory scales =
                        to.memory().share(wire.scaleBytes(op.tokens().total()));
                yield Launchable.sequence(
                        wire.pack(codes.own().address(), scales.own().address()),
                        wire.sum(group(to), codes.addresses(), scales.addresses()));
            }
        };
    }

    static KernelCall stored(Preparation to, AllToAllCombine op, PeerGroup group, PeerAddresses x) {
        return to.call("peer_combine", "peer_combine_" + type(op, op.x()), combining(op))
                .struct(group.struct(to.arena()))
                .pointer(to.address(op.y()))
                .struct(x.struct(to.arena()))
                .pointer(to.address(op.ids()))
                .wide(op.tokens().own())
                .wide(op.x().dim(1))
                .wide(op.tokens().first())
                .size(op.ids().dim(1))
                .number(op.expertsPerRank());
    }

    static LaunchShape combining(AllToAllCombine op) {
        return shape(most(op.tokens()) * rowBytes(op.x()));
    }

    /** A grid that all ranks take: as many blocks as move the bytes at once, 16 a thread, up to the most. */
    private static LaunchShape shape(long bytes) {
        return LaunchShape.of(Math.clamp(Math.ceilDiv(bytes, 16L * THREADS), 1, MOST_BLOCKS), THREADS);
    }

    private static PeerGroup group(Preparation to) {
        return to.gpu().links().peers().orElseThrow();
    }

    /** Rows of the rank that has most. */
    private static long most(RankTokens tokens) {
        return tokens.counts().stream().mapToInt(Integer::intValue).max().orElseThrow();
    }

    private static long rowBytes(TensorRef tensor) {
        return tensor.dtype().bytes(tensor.dim(1));
    }

    private static String type(Operator op, TensorRef tensor) {
        return switch (tensor.dtype()) {
            case BF16 -> "bf16";
            case F32 -> "f32";
            case F16, E4M3, E5M2, E2M1, UE8M0, I32, I8 ->
                throw new ConfigException(
                        "device: %s with %s: expected bfloat16 or float32 on a GPU, or --device reference"
                                .formatted(op.name(), tensor));
        };
    }

    private static void checkChosen(Operator op, TensorRef ids) {
        if (ids.dim(1) > MOST_CHOSEN) {
            throw new ConfigException(
                    "device: %s: expected at most top %d on a GPU".formatted(op.label(), MOST_CHOSEN));
        }
    }
}
