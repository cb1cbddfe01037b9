package layerwise.kernels;

import java.util.Collections;
import layerwise.cuda.LaunchShape;
import layerwise.op.CausalConv1d;
import layerwise.op.DeltaRule;
import layerwise.op.Operator;
import layerwise.op.PagedBatch;
import layerwise.op.StateSpace;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/**
 * Launches of kernels/{causal_conv1d,ssd_state_update,delta_rule_step,delta_rule_update}.cu. Their recurrences run token by
 * token, in prefill where {@link ChunkLaunches} has no kernel for a layer's heads.
 */
final class RecurrentLaunches {
    private static final int TAPS = 4;
    private static final int STATE_BYTES = 16_384;
    private static final int DELTA_COLUMNS = 32;
    private static final int DELTA_ROW_BYTES = 128;
    private static final int DELTA_KEYS = 128;

    private RecurrentLaunches() {}

    /** Suffix of kernels that take the state. */
    static String stateType(Operator operator, TensorRef state) {
        return switch (state.dtype()) {
            case F32 -> "f32";
            case F16 -> "f16";
            case BF16 -> "bf16";
            case E4M3, E5M2, E2M1, UE8M0, I32, I8 ->
                throw new ConfigException("device: %s with a state of %s: expected a 16 or 32 bit float on a GPU"
                        .formatted(operator.name(), state.dtype()));
        };
    }

    private static void require(boolean holds, Operator operator) {
        if (!holds) {
            throw new ConfigException("device: no CUDA kernel takes %s %s; expected --device reference"
                    .formatted(operator.name(), operator.label()));
        }
    }

    static Launchable of(Preparation to, CausalConv1d op) {
        Preparation.requireBf16(op, op.x(), op.w(), op.state(), op.y());
        PagedBatch paged = op.paged();
        require(op.width() == TAPS && op.bias().stream().allMatch(bias -> bias.dtype() == DType.F32), op);
        boolean wide = op.x().dim(1) % 8 == 0
                && op.x().offset() % 8 == 0
                && op.x().strides().step(0) % 8 == 0
                && op.y().strides().step(0) % 8 == 0
                && to.address(op.w()) % 16 == 0
                && op.bias().map(to::address).orElse(0L) % 16 == 0;
        int longest = Collections.max(paged.batch().queries());
        LaunchShape shape = LaunchShape.of(1, 128)
                .grid(
                        Math.toIntExact(Math.ceilDiv(op.x().dim(1), wide ? 1024L : 128L)),
                        Math.ceilDiv(longest, wide ? 32 : 16), // tokens of a block
                        paged.batch().sequences());
        String variant = wide && longest == 1 ? "step_wide_" : wide ? "wide_" : "";
        return to.call("causal_conv1d", "causal_conv1d_" + variant + "bf16", shape)
                .pointer(to.address(op.y()))
                .pointer(to.address(op.state()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.w()))
                .pointer(op.bias().map(to::address).orElse(0L))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .pointer(to.address(paged.slots()))
                .size(op.x().dim(1))
                .wide(op.x().strides().step(0))
                .wide(op.y().strides().step(0));
    }

    /** {@link layerwise.op.SsdStateUpdate}, or {@link layerwise.op.SsdChunkScan} as the same recurrence. */
    static Launchable of(Preparation to, Operator op, StateSpace ssm) {
        Preparation.requireBf16(op, ssm.x(), ssm.b(), ssm.c(), ssm.dt(), ssm.y());
        int n = ssm.stateDim();
        require(
                n >= 32
                        && n <= 128
                        && Integer.bitCount(n) == 1
                        && ssm.y().isContiguous()
                        && isDense(ssm.x())
                        && isAligned(ssm.b())
                        && isAligned(ssm.c()),
                op);
        PagedBatch paged = ssm.paged();
        LaunchShape shape = LaunchShape.of(1, 256)
                .grid(
                        Math.ceilDiv(Math.toIntExact(ssm.state().dtype().bytes((long) ssm.headDim() * n)), STATE_BYTES),
                        ssm.heads(),
                        paged.batch().sequences());
        return to.call("ssd_state_update", "ssd_state_update_" + stateType(op, ssm.state()), shape)
                .pointer(to.address(ssm.y()))
                .pointer(to.address(ssm.state()))
                .pointer(to.address(ssm.x()))
                .pointer(to.address(ssm.b()))
                .pointer(to.address(ssm.c()))
                .pointer(to.address(ssm.dt()))
                .pointer(to.address(ssm.aLog()))
                .pointer(to.address(ssm.dtBias()))
                .pointer(to.address(ssm.d()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .pointer(to.address(paged.slots()))
                .number(ssm.heads())
                .number(ssm.headDim())
                .number(ssm.groups())
                .number(n)
                .wide(ssm.x().strides().step(0))
                .wide(ssm.b().strides().step(0))
                .wide(ssm.c().strides().step(0))
                .wide(ssm.dt().strides().step(0));
    }

    /** {@link layerwise.op.DeltaRuleUpdate}, or {@link layerwise.op.DeltaRuleChunkScan} as the same recurrence. */
    static Launchable of(Preparation to, Operator op, DeltaRule rule) {
        Preparation.requireBf16(op, rule.q(), rule.k(), rule.v(), rule.a(), rule.b(), rule.out());
        require(
                rule.valueDim() % DELTA_COLUMNS == 0
                        && rule.keyDim() <= DELTA_KEYS
                        && rule.out().isContiguous()
                        && isDense(rule.q())
                        && isDense(rule.k())
                        && isDense(rule.v()),
                op);
        PagedBatch paged = rule.paged();
        boolean step = Collections.max(paged.batch().queries()) == 1;
        long columns = step ? DELTA_ROW_BYTES / rule.state().dtype().bytes(1) : DELTA_COLUMNS; // of a block
        LaunchShape shape = LaunchShape.of(1, 128)
                .grid(
                        Math.toIntExact(Math.ceilDiv(rule.valueDim(), columns)),
                        rule.valueHeads(),
                        paged.batch().sequences());
        String kernel = step ? "delta_rule_step" : "delta_rule_update";
        return to.call(kernel, kernel + "_" + stateType(op, rule.state()), shape)
                .pointer(to.address(rule.out()))
                .pointer(to.address(rule.state()))
                .pointer(to.address(rule.q()))
                .pointer(to.address(rule.k()))
                .pointer(to.address(rule.v()))
                .pointer(to.address(rule.a()))
                .pointer(to.address(rule.b()))
                .pointer(to.address(rule.aLog()))
                .pointer(to.address(rule.dtBias()))
                .pointer(to.address(paged.starts()))
                .pointer(to.address(paged.past()))
                .pointer(to.address(paged.slots()))
                .number(rule.keyHeads())
                .number(rule.valueHeads())
                .number(rule.keyDim())
                .number(rule.valueDim())
                .wide(rule.q().strides().step(0))
                .wide(rule.k().strides().step(0))
                .wide(rule.v().strides().step(0))
                .wide(rule.a().strides().step(0))
                .wide(rule.b().strides().step(0))
                .real(rule.scale());
    }

    /** Heads follow each other without gaps. */
    private static boolean isDense(TensorRef heads) {
        return heads.strides().step(2) == 1 && heads.strides().step(1) == heads.dim(2);
    }

    /** Heads follow each other without gaps, and all of it moves in 16-byte accesses. */
    static boolean isAligned(TensorRef heads) {
        return isDense(heads) && heads.offset() % 8 == 0 && heads.strides().step(0) % 8 == 0;
    }
}
