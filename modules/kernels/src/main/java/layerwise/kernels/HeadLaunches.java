package layerwise.kernels;

import java.util.Locale;
import layerwise.cuda.LaunchShape;
import layerwise.op.GatedRmsNorm;
import layerwise.op.L2Norm;
import layerwise.op.Operator;
import layerwise.op.RmsNorm;
import layerwise.op.SigmoidGate;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;

/** Launches of kernels/{rms_norm_heads,gated_rms_norm,l2_norm,sigmoid_gate}.cu, which take each head by itself. */
final class HeadLaunches {
    private HeadLaunches() {}

    /** A warp for each head, or half of one for a narrow head. */
    private static LaunchShape warps(long heads, long width) {
        return LaunchShape.of(Math.toIntExact(Math.ceilDiv(heads, width <= 128 ? 16L : 8L)), 256);
    }

    /** Refuses heads that have gaps between them, or elements that have. */
    private static void requireDense(Operator operator, TensorRef... tensors) {
        for (TensorRef tensor : tensors) {
            if (tensor.strides().step(2) != 1 || tensor.strides().step(1) != tensor.dim(2)) {
                throw new ConfigException("device: %s of %s: expected heads one behind the other on a GPU"
                        .formatted(operator.name(), tensor));
            }
        }
    }

    /** With a float32 gain; a row without heads is one head. */
    static Launchable of(Preparation to, RmsNorm op) {
        Preparation.requireBf16(op, op.x(), op.y());
        boolean heads = op.x().rank() == 3;
        long count = heads ? op.x().dim(1) : 1;
        return to.call(
                        "rms_norm_heads",
                        "rms_norm_heads_bf16",
                        warps(op.x().dim(0) * count, op.x().dim(-1)))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.gain()))
                .wide(op.x().dim(0))
                .size(count)
                .size(op.x().dim(-1))
                .wide(op.x().strides().step(0))
                .wide(heads ? op.x().strides().step(1) : 0)
                .wide(op.y().strides().step(0))
                .wide(heads ? op.y().strides().step(1) : 0)
                .real(op.epsilon());
    }

    static Launchable of(Preparation to, GatedRmsNorm op) {
        Preparation.requireBf16(op, op.x(), op.z(), op.gain(), op.y());
        requireDense(op, op.x(), op.z(), op.y());
        String symbol = "gated_rms_norm_" + op.order().name().toLowerCase(Locale.ROOT) + "_bf16";
        return to.call(
                        "gated_rms_norm",
                        symbol,
                        warps(op.x().dim(0) * op.x().dim(1), op.x().dim(2)))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.z()))
                .pointer(to.address(op.gain()))
                .wide(op.x().dim(0))
                .size(op.x().dim(1))
                .size(op.x().dim(2))
                .wide(op.gain().dim(0) == op.x().dim(2) ? 0 : op.x().dim(2))
                .wide(op.x().strides().step(0))
                .wide(op.z().strides().step(0))
                .wide(op.y().strides().step(0))
                .real(op.epsilon());
    }

    static Launchable of(Preparation to, L2Norm op) {
        Preparation.requireBf16(op, op.x(), op.y());
        requireDense(op, op.x(), op.y());
        return to.call(
                        "l2_norm",
                        "l2_norm_bf16",
                        warps(op.x().dim(0) * op.x().dim(1), op.x().dim(2)))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .wide(op.x().dim(0))
                .size(op.x().dim(1))
                .size(op.x().dim(2))
                .wide(op.x().strides().step(0))
                .wide(op.y().strides().step(0))
                .real(op.epsilon());
    }

    static Launchable of(Preparation to, SigmoidGate op) {
        Preparation.requireBf16(op, op.x(), op.gate(), op.y());
        boolean whole = op.gate().dim(2) == 1 && op.x().dim(2) != 1;
        long width = op.x().dim(1) * op.x().dim(2);
        LaunchShape shape = LaunchShape.of(1, 256)
                .grid(Math.toIntExact(op.x().dim(0)), Math.toIntExact(Math.ceilDiv(width, 2048L)), 1);
        return to.call("sigmoid_gate", whole ? "sigmoid_gate_whole_bf16" : "sigmoid_gate_bf16", shape)
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.gate()))
                .size(op.x().dim(1))
                .size(op.x().dim(2))
                .wide(op.x().strides().step(0))
                .wide(op.x().strides().step(1))
                .wide(op.gate().strides().step(0))
                .wide(op.gate().strides().step(1))
                .wide(op.y().strides().step(0))
                .wide(op.y().strides().step(1));
    }
}
