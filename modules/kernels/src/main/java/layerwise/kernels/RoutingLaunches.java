package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.Combine;
import layerwise.op.GatherRows;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.op.SortByExpert;
import layerwise.tensor.ConfigException;

/** Launches of kernels/{route,sort_by_expert,gather_rows,combine}.cu. */
final class RoutingLaunches {
    /** What the kernels of routing and sorting hold in registers and shared memory. */
    private static final int MOST_EXPERTS = 512;

    private static final int MOST_CHOSEN = 16;
    private static final int SORT_BLOCK = 512;
    private static final int SORT_ALONE = 4096;

    /** Rounded rows of a block of kernels/gather_rows.cu, one a warp, beside a warp for all their scales. */
    private static final int GATHERED_ROWS = 8;

    private RoutingLaunches() {}

    static Launchable of(Preparation to, Route op) {
        long tokens = op.logits().dim(0);
        if (op.logits().dim(1) > MOST_EXPERTS || op.ids().dim(1) > MOST_CHOSEN) {
            throw new ConfigException("device: %s: expected at most top %d of %d experts on a GPU"
                    .formatted(op.label(), MOST_CHOSEN, MOST_EXPERTS));
        }
        long experts = op.logits().dim(1);
        boolean fourOfEight = isFourOfEight(to, op);
        String symbol = switch (op.routing()) {
            case Routing.SigmoidGroups grouped when fourOfEight -> "route_sigmoid_4_of_8_groups_256_f32";
            case Routing.SigmoidGroups grouped ->
                "route_sigmoid_groups_%d_f32".formatted(candidates(experts / grouped.groups() * grouped.topGroups()));
            case Routing.Softmax softmax -> "route_softmax_%d_f32".formatted(candidates(experts));
        };
        long floats = op.routing() instanceof Routing.SigmoidGroups ? 2 * experts + 64 : experts + 64;
        LaunchShape shape = LaunchShape.of(Math.toIntExact(Math.ceilDiv(tokens, 4)), 128)
                .shared(fourOfEight ? 0 : Math.toIntExact(4 * floats * Float.BYTES));
        KernelCall call = to.call("route", symbol, shape)
                .pointer(to.address(op.ids()))
                .pointer(to.address(op.weights()))
                .pointer(to.address(op.logits()))
                .pointer(op.bias().map(to::address).orElse(0L))
                .size(tokens)
                .size(op.logits().dim(1))
                .size(op.ids().dim(1));
        switch (op.routing()) {
            case Routing.SigmoidGroups grouped ->
                call.number(grouped.groups())
                        .number(grouped.topGroups())
                        .number(grouped.normalise() ? 1 : 0)
                        .real(grouped.scale());
            case Routing.Softmax softmax -> call.number(softmax.normalise() ? 1 : 0);
        }
        return call.wide(op.logits().strides().step(0));
    }

    /** The routing of DeepSeek-V3, of rows that a lane reads sixteen bytes at a time. */
    private static boolean isFourOfEight(Preparation to, Route op) {
        long addresses = to.address(op.logits()) | op.bias().map(to::address).orElse(0L);
        return op.routing() instanceof Routing.SigmoidGroups grouped
                && op.logits().dim(1) == 256
                && grouped.groups() == 8
                && grouped.topGroups() == 4
                && (addresses & 15) == 0
                && op.logits().strides().step(0) % 4 == 0;
    }

    /** The kernel's number of candidates for so many. */
    private static int candidates(long experts) {
        return experts <= 128 ? 128 : experts <= 256 ? 256 : MOST_EXPERTS;
    }

    static Launchable of(Preparation to, SortByExpert op) {
        int pairs = Math.toIntExact(op.ids().shape().elements());
        boolean alone = pairs <= SORT_ALONE;
        int chunk = SORT_BLOCK * (alone ? Math.ceilDiv(pairs, SORT_BLOCK) : Math.ceilDiv(pairs, 65_536));
        int blocks = Math.ceilDiv(pairs, chunk);
        long counts = alone ? 0 : to.scratch(4L * blocks * op.experts());
        KernelCall place = to.call("sort_by_expert", "sort_by_expert_place", LaunchShape.of(blocks, SORT_BLOCK))
                .pointer(to.address(op.offsets()))
                .pointer(to.address(op.pairs()))
                .pointer(to.address(op.slots()))
                .pointer(to.address(op.ids()))
                .pointer(counts)
                .number(pairs)
                .number(op.experts())
                .number(op.first())
                .number(chunk);
        if (alone) {
            return place;
        }
        KernelCall count = to.call("sort_by_expert", "sort_by_expert_count", LaunchShape.of(blocks, SORT_BLOCK))
                .pointer(counts)
                .pointer(to.address(op.ids()))
                .number(pairs)
                .number(op.experts())
                .number(op.first())
                .number(chunk);
        return Launchable.sequence(count, place);
    }

    static Launchable of(Preparation to, GatherRows op) {
        if (op.x().isRounded()) {
            return rounded(to, op);
        }
        Preparation.requireBf16(op, op.x().data(), op.y().data());
        return to.call(
                        "gather_rows",
                        "gather_rows_bf16",
                        LaunchShape.of(Math.toIntExact(op.y().rows()), 256))
                .pointer(to.address(op.y().data()))
                .pointer(to.address(op.x().data()))
                .pointer(to.address(op.pairs()))
                .size(op.x().width())
                .number(op.topK())
                .wide(op.x().data().strides().step(0))
                .wide(op.y().data().strides().step(0));
    }

    private static Launchable rounded(Preparation to, GatherRows op) {
        RoundedActivations x = RoundedActivations.of(to, op.x());
        RoundedActivations y = RoundedActivations.of(to, op.y());
        int blocks = Math.toIntExact(Math.ceilDiv(y.rows(), GATHERED_ROWS));
        return to.call("gather_rows", "gather_rows_e4m3", LaunchShape.of(blocks, 32 * (GATHERED_ROWS + 1)))
                .pointer(y.codes())
                .pointer(y.scales())
                .pointer(x.codes())
                .pointer(x.scales())
                .pointer(to.address(op.pairs()))
                .size(y.rows())
                .size(x.k())
                .number(op.topK())
                .wide(x.pitch())
                .wide(x.scalePitch())
                .wide(y.pitch())
                .wide(y.scalePitch());
    }

    static Launchable of(Preparation to, Combine op) {
        Preparation.requireBf16(op, op.x(), op.y());
        return to.call("combine", "combine_bf16", PointwiseLaunches.columns(op.y(), 2048))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.slots()))
                .pointer(to.address(op.weights()))
                .size(op.y().dim(1))
                .size(op.slots().dim(1))
                .wide(op.x().strides().step(0))
                .wide(op.y().strides().step(0));
    }
}
