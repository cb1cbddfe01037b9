package layerwise.kernels;

import java.util.Optional;
import layerwise.cuda.LaunchShape;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.Operator;
import layerwise.op.RmsNorm;
import layerwise.op.RoundRows;
import layerwise.op.SquaredRelu;
import layerwise.op.SwiGlu;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/** Launches of kernels/{add,rms_norm,add_rms_norm,swiglu,swiglu_fp8_block,squared_relu,quantize_fp8_block}.cu. */
final class PointwiseLaunches {
    private PointwiseLaunches() {}

    static Launchable of(Preparation to, Add op) {
        Preparation.requireBf16(op, op.a(), op.b(), op.y());
        return to.call("add", "add_bf16", columns(op.y(), 2048))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.a()))
                .pointer(to.address(op.b()))
                .size(op.y().dim(1))
                .wide(op.a().strides().step(0))
                .wide(op.b().strides().step(0))
                .wide(op.y().strides().step(0));
    }

    static Launchable of(Preparation to, RmsNorm op) {
        if (op.gain().dtype() == DType.F32) {
            return HeadLaunches.of(to, op);
        }
        if (op.x().rank() != 2) {
            throw new ConfigException("device: %s of heads %s with a gain of %s: expected one of float32 on a GPU"
                    .formatted(op.name(), op.label(), op.gain()));
        }
        Preparation.requireBf16(op, op.x(), op.gain(), op.y());
        return to.call("rms_norm", "rms_norm_bf16", rows(op.x()))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.gain()))
                .size(op.x().dim(1))
                .wide(op.x().strides().step(0))
                .wide(op.y().strides().step(0))
                .real(op.epsilon());
    }

    static Launchable of(Preparation to, AddRmsNorm op) {
        boolean wideGain = op.gain().dtype() == DType.F32;
        Preparation.requireBf16(op, op.x(), op.residual(), op.sum(), op.y());
        if (!wideGain) {
            Preparation.requireBf16(op, op.gain());
        }
        String symbol = wideGain ? "add_rms_norm_wide_gain_bf16" : "add_rms_norm_bf16";
        return to.call("add_rms_norm", symbol, rows(op.x()))
                .pointer(to.address(op.sum()))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.residual()))
                .pointer(to.address(op.gain()))
                .size(op.x().dim(1))
                .wide(op.x().strides().step(0))
                .wide(op.residual().strides().step(0))
                .wide(op.sum().strides().step(0))
                .wide(op.y().strides().step(0))
                .real(op.epsilon());
    }

    static Launchable of(Preparation to, SwiGlu op) {
        return activation(to, "swiglu", op, op.x(), op.active(), op.y());
    }

    static Launchable of(Preparation to, SquaredRelu op) {
        return activation(to, "squared_relu", op, op.x(), op.active(), op.y());
    }

    private static Launchable activation(
            Preparation to, String operation, Operator op, TensorRef x, Optional<TensorRef> active, TensorRef y) {
        Preparation.requireBf16(op, x, y);
        return to.call(operation, operation + "_bf16", columns(y, 2048))
                .pointer(to.address(y))
                .pointer(to.address(x))
                .pointer(rowsInUse(to, active))
                .size(y.dim(1))
                .wide(x.strides().step(0))
                .wide(y.strides().step(0));
    }

    static Launchable of(Preparation to, RoundRows op) {
        return RoundedActivations.of(to, op.y()).rounding(op.x(), op.format(), rowsInUse(to, op.active()));
    }

    static Launchable of(Preparation to, SwiGluRoundRows op) {
        RoundedActivations y = RoundedActivations.of(to, op.y());
        String symbol = "swiglu_fp8_block%s_bf16".formatted(RoundedActivations.suffix(op.format()));
        return to.call("swiglu_fp8_block", symbol, y.shape())
                .pointer(y.codes())
                .pointer(y.scales())
                .pointer(to.address(op.x()))
                .pointer(rowsInUse(to, op.active()))
                .size(y.rows())
                .size(y.k())
                .wide(op.x().strides().step(0))
                .wide(y.pitch())
                .wide(y.scalePitch());
    }

    /** The address of the number of rows in use, or 0 where all are. */
    private static long rowsInUse(Preparation to, Optional<TensorRef> active) {
        return active.map(counts -> to.address(counts) + Integer.BYTES * (counts.dim(0) - 1))
                .orElse(0L);
    }

    /** A block a row; two vectors of eight a thread, so that many rows are in flight. */
    private static LaunchShape rows(TensorRef x) {
        int threads = (int) Math.min(512, 32 * Math.ceilDiv(x.dim(1), 512));
        return LaunchShape.of(Math.toIntExact(x.dim(0)), threads);
    }

    /** A block for each row and so many columns. */
    static LaunchShape columns(TensorRef y, int columns) {
        return LaunchShape.of(1, 256)
                .grid(Math.toIntExact(y.dim(0)), Math.toIntExact(Math.ceilDiv(y.dim(1), columns)), 1);
    }
}
