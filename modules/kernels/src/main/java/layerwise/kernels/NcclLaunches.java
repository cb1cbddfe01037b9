package layerwise.kernels;

import java.util.ArrayList;
import java.util.List;
import layerwise.cuda.Nccl;
import layerwise.cuda.NcclCall;
import layerwise.cuda.NcclCommunicator;
import layerwise.cuda.PeerAddresses;
import layerwise.cuda.PeerGroup;
import layerwise.op.AllGather;
import layerwise.op.AllReduce;
import layerwise.op.AllToAllCombine;
import layerwise.op.AllToAllDispatch;
import layerwise.op.RankGroup;
import layerwise.op.RankTokens;
import layerwise.op.ReduceScatter;
import layerwise.op.TensorRef;

/**
 * Collectives by NCCL. It wants to know sizes on the host, so exchanges of tokens move every row to every rank, whoever
 * needs it.
 */
final class NcclLaunches {
    private NcclLaunches() {}

    static Launchable of(Preparation to, AllReduce op) {
        return nccl(to).allReduce(
                        op.x().dtype(), to.memory().place(op.x()), to.memory().place(op.y()))::launch;
    }

    static Launchable of(Preparation to, ReduceScatter op) {
        NcclCommunicator nccl = nccl(to);
        if (isUniform(op.tokens())) {
            return nccl.reduceScatter(
                    op.x().dtype(), to.memory().place(op.x()), to.memory().place(op.y()))::launch;
        }
        List<NcclCall> calls = new ArrayList<>();
        for (int rank = 0; rank < nccl.ranks(); rank++) {
            TensorRef rows = rowsOf(op.x(), op.tokens(), rank);
            if (rows.dim(0) > 0) {
                calls.add(nccl.reduce(
                        op.x().dtype(), to.memory().place(rows), to.memory().place(op.y()), rank));
            }
        }
        return nccl.group(calls)::launch;
    }

    /** Part r of x goes to rank r; y gets a part of each rank. */
    static Launchable allToAll(Preparation to, TensorRef x, TensorRef y) {
        NcclCommunicator nccl = nccl(to);
        RankTokens parts =
                RankTokens.uniform(new RankGroup(nccl.rank(), nccl.ranks()), Math.toIntExact(x.dim(0) / nccl.ranks()));
        List<NcclCall> calls = new ArrayList<>();
        for (int rank = 0; rank < nccl.ranks(); rank++) {
            calls.add(nccl.send(to.memory().place(rowsOf(x, parts, rank)), rank));
            calls.add(nccl.receive(to.memory().place(rowsOf(y, parts, rank)), rank));
        }
        return nccl.group(calls)::launch;
    }

    static Launchable of(Preparation to, AllGather op) {
        return gather(to, op.parts(), op.tokens());
    }

    static Launchable of(Preparation to, AllToAllDispatch op) {
        return gather(to, List.of(op.x(), op.ids(), op.weights()), op.tokens());
    }

    private static Launchable gather(Preparation to, List<AllGather.Part> parts, RankTokens tokens) {
        NcclCommunicator nccl = nccl(to);
        List<NcclCall> calls = new ArrayList<>();
        for (AllGather.Part part : parts) {
            if (isUniform(tokens)) {
                calls.add(
                        nccl.allGather(to.memory().place(part.x()), to.memory().place(part.y())));
                continue;
            }
            for (int rank = 0; rank < nccl.ranks(); rank++) {
                TensorRef rows = rowsOf(part.y(), tokens, rank);
                if (tokens.own() > 0) {
                    calls.add(nccl.send(to.memory().place(part.x()), rank));
                }
                if (rows.dim(0) > 0) {
                    calls.add(nccl.receive(to.memory().place(rows), rank));
                }
            }
        }
        return nccl.group(calls)::launch;
    }

    static Launchable of(Preparation to, AllToAllCombine op) {
        PeerGroup solo = to.gpu().links().solo();
        return switch (op.wire()) {
            case STORED -> {
                Homecoming rows = new Homecoming(to, op.x().dtype().bytes(op.x().dim(1)), op.tokens());
                yield Launchable.sequence(
                        rows.exchange(to.address(op.x())), PeerExchanges.sum(to, op, solo, rows.addresses()));
            }
            case FP8 -> {
                Fp8Wire wire = new Fp8Wire(to, op);
                int total = op.tokens().total();
                long codes = to.scratch(Math.max(1, wire.codeBytes(total)));
                long scales = to.scratch(Math.max(1, wire.scaleBytes(total)));
                Homecoming codeRows = new Homecoming(to, wire.codeBytes(1), op.tokens());
                Homecoming scaleRows = new Homecoming(to, wire.scaleBytes(1), op.tokens());
                yield Launchable.sequence(List.of(
                        wire.pack(codes, scales),
                        codeRows.exchange(codes),
                        scaleRows.exchange(scales),
                        wire.sum(solo, codeRows.addresses(), scaleRows.addresses())));
            }
        };
    }

    /** Rows of own tokens as they come back from every rank, one rank's after the other. */
    private static final class Homecoming {
        private final NcclCommunicator nccl;
        private final RankTokens tokens;
        private final long rowBytes;
        private final long place;

        Homecoming(Preparation to, long rowBytes, RankTokens tokens) {
            this.nccl = nccl(to);
            this.tokens = tokens;
            this.rowBytes = rowBytes;
            this.place = to.scratch(Math.max(1, ownBytes(tokens, rowBytes) * nccl.ranks()));
        }

        private static long ownBytes(RankTokens tokens, long rowBytes) {
            return tokens.own() * rowBytes;
        }

        /** Sends each rank its rows of what lies at {@code from}, and takes in the own ones. */
        Launchable exchange(long from) {
            List<NcclCall> calls = new ArrayList<>();
            for (int rank = 0; rank < nccl.ranks(); rank++) {
                long bytes = tokens.counts().get(rank) * rowBytes;
                if (bytes > 0) {
                    calls.add(nccl.send(from + tokens.first(rank) * rowBytes, bytes, rank));
                }
                if (tokens.own() > 0) {
                    long own = ownBytes(tokens, rowBytes);
                    calls.add(nccl.receive(place + rank * own, own, rank));
                }
            }
            return nccl.group(calls)::launch;
        }

        /** Where a gathered tensor would start, of which the own rows lie here, for each rank that they came from. */
        PeerAddresses addresses() {
            return PeerAddresses.apart(place - tokens.first() * rowBytes, ownBytes(tokens, rowBytes), nccl.ranks());
        }
    }

    /** The communicator, noted as what runs. */
    private static NcclCommunicator nccl(Preparation to) {
        NcclCommunicator nccl = to.gpu()
                .links()
                .nccl()
                .orElseThrow(() -> new IllegalStateException("NCCL carries no collectives of this executor"));
        to.launches("NCCL " + Nccl.version());
        return nccl;
    }

    private static TensorRef rowsOf(TensorRef gathered, RankTokens tokens, int rank) {
        int first = tokens.first(rank);
        return gathered.slice(0, first, first + tokens.counts().get(rank));
    }

    private static boolean isUniform(RankTokens tokens) {
        return tokens.counts().stream().distinct().count() == 1;
    }
}
