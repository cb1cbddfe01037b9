package layerwise.kernels;

import java.util.List;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.PeerAddresses;
import layerwise.cuda.PeerGroup;
import layerwise.cuda.SharedMemory;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.Operator;
import layerwise.op.RankTokens;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;

/**
 * Tokens to experts and back over memory that all ranks reach: kernels/peer_{dispatch,collect,combine,return}.cu.
 *
 * <p>Methods differ in who moves a row: its sender, who writes where it is needed, or its receiver, who reads.
 */
final class PeerExchanges {
    /** Chosen experts of a token at most: a lane of a warp looks at each. */
    private static final int MOST_CHOSEN = 32;

    private PeerExchanges() {}

    static Launchable of(Preparation to, AllToAllDispatch op) {
        checkChosen(op, op.ids().x());
        return switch (op.method()) {
            case NVLINK_ONE_SIDED, DEEP_EP_LOW_LATENCY -> send(to, op);
            case NVLINK_TWO_SIDED, DEEP_EP -> collect(to, op);
        };
    }

    private static Launchable send(Preparation to, AllToAllDispatch op) {
        Reached y = to.reach(op.x().y());
        Reached ids = to.reach(op.ids().y());
        Reached weights = to.reach(op.weights().y());
        KernelCall call = to.call(
                        "peer_dispatch",
                        "peer_dispatch_u8",
                        shape(op.tokens(), op.x().x()))
                .struct(group(to).struct(to.arena()))
                .struct(y.addresses().struct(to.arena()))
                .struct(ids.addresses().struct(to.arena()))
                .struct(weights.addresses().struct(to.arena()))
                .pointer(to.address(op.x().x()))
                .pointer(to.address(op.ids().x()))
                .pointer(to.address(op.weights().x()))
                .wide(op.tokens().own())
                .wide(PeerLaunches.rowBytes(op.x().x()))
                .wide(op.tokens().first())
                .size(op.ids().x().dim(1))
                .number(op.expertsPerRank());
        // What no rank sends stays as it is, so the place that peers reach starts with it.
        return Launchable.sequence(List.of(y.fetch(), call, y.store(), ids.store(), weights.store()));
    }

    private static Launchable collect(Preparation to, AllToAllDispatch op) {
        Reached x = to.reach(op.x().x());
        Reached ids = to.reach(op.ids().x());
        Reached weights = to.reach(op.weights().x());
        KernelCall call = to.call(
                        "peer_collect",
                        "peer_collect_u8",
                        shape(op.tokens(), op.x().x()))
                .struct(group(to).struct(to.arena()))
                .pointer(to.address(op.x().y()))
                .pointer(to.address(op.ids().y()))
                .pointer(to.address(op.weights().y()))
                .struct(x.addresses().struct(to.arena()))
                .struct(ids.addresses().struct(to.arena()))
                .struct(weights.addresses().struct(to.arena()))
                .struct(PeerStructs.rowStarts(op.tokens(), to.arena()))
                .wide(PeerLaunches.rowBytes(op.x().x()))
                .size(op.ids().x().dim(1))
                .number(op.expertsPerRank());
        return Launchable.sequence(List.of(x.fetch(), ids.fetch(), weights.fetch(), call));
    }

    static Launchable of(Preparation to, AllToAllCombine op) {
        checkChosen(op, op.ids());
        return switch (op.method()) {
            case NVLINK_ONE_SIDED -> read(to, op);
            case NVLINK_TWO_SIDED, DEEP_EP, DEEP_EP_LOW_LATENCY -> bringHome(to, op);
        };
    }

    private static Launchable read(Preparation to, AllToAllCombine op) {
        return switch (op.wire()) {
            case STORED -> {
                Reached x = to.reach(op.x());
                yield Launchable.sequence(x.fetch(), sum(to, op, group(to), x.addresses()));
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

    private static Launchable bringHome(Preparation to, AllToAllCombine op) {
        Reached ids = to.reach(op.ids());
        PeerGroup solo = to.gpu().links().solo();
        return switch (op.wire()) {
            case STORED -> {
                Home home = Home.of(to, op, PeerLaunches.rowBytes(op.x()));
                yield Launchable.sequence(List.of(
                        ids.fetch(), home.call(to, op, to.address(op.x()), ids), sum(to, op, solo, home.addresses())));
            }
            case FP8 -> {
                Fp8Wire wire = new Fp8Wire(to, op);
                long codes = to.scratch(Math.max(1, wire.codeBytes(op.tokens().total())));
                long scales = to.scratch(Math.max(1, wire.scaleBytes(op.tokens().total())));
                Home codeHome = Home.of(to, op, wire.codeBytes(1));
                Home scaleHome = Home.of(to, op, wire.scaleBytes(1));
                yield Launchable.sequence(List.of(
                        wire.pack(codes, scales),
                        ids.fetch(),
                        codeHome.call(to, op, codes, ids),
                        scaleHome.call(to, op, scales, ids),
                        wire.sum(solo, codeHome.addresses(), scaleHome.addresses())));
            }
        };
    }

    /**
     * Where rows of own tokens come home to: those of rank 0, then those of rank 1, and so on.
     *
     * @param rowBytes bytes of a row
     */
    private record Home(SharedMemory memory, RankTokens tokens, long rowBytes) {
        static Home of(Preparation to, AllToAllCombine op, long rowBytes) {
            RankTokens tokens = op.tokens();
            return new Home(to.memory().share(rowBytes * tokens.group().size() * tokens.own()), tokens, rowBytes);
        }

        KernelCall call(Preparation to, AllToAllCombine op, long rows, Reached ids) {
            return to.call("peer_return", "peer_return_u8", PeerLaunches.shape(PeerLaunches.most(tokens) * rowBytes))
                    .struct(group(to).struct(to.arena()))
                    .struct(memory.addresses().struct(to.arena()))
                    .pointer(rows)
                    .struct(ids.addresses().struct(to.arena()))
                    .struct(PeerStructs.rowStarts(tokens, to.arena()))
                    .wide(rowBytes)
                    .size(op.ids().dim(1))
                    .number(op.expertsPerRank());
        }

        /** Where a gathered tensor would start, of which the own rows lie here, for each rank that they came from. */
        PeerAddresses addresses() {
            return PeerAddresses.apart(
                    memory.own().address() - tokens.first() * rowBytes,
                    tokens.own() * rowBytes,
                    tokens.group().size());
        }
    }

    /** Adds up what lies at a gathered tensor's own rows for each rank. */
    static KernelCall sum(Preparation to, AllToAllCombine op, PeerGroup group, PeerAddresses x) {
        return to.call("peer_combine", "peer_combine_" + PeerLaunches.type(op, op.x()), shape(op.tokens(), op.x()))
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

    /** A grid that all ranks take, for the rows of the rank that has most. */
    static LaunchShape shape(RankTokens tokens, TensorRef rows) {
        return PeerLaunches.shape(PeerLaunches.most(tokens) * PeerLaunches.rowBytes(rows));
    }

    private static PeerGroup group(Preparation to) {
        return to.gpu().links().peers().orElseThrow();
    }

    private static void checkChosen(Operator op, TensorRef ids) {
        if (ids.dim(1) > MOST_CHOSEN) {
            throw new ConfigException(
                    "device: %s: expected at most top %d on a GPU".formatted(op.label(), MOST_CHOSEN));
        }
    }
}
