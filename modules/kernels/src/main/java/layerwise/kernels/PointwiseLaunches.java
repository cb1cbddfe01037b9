package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.RmsNorm;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;

/** Launches of kernels/{add,rms_norm,add_rms_norm,swiglu}.cu. */
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
        Preparation.requireBf16(op, op.x(), op.residual(), op.gain(), op.sum(), op.y());
        return to.call("add_rms_norm", "add_rms_norm_bf16", rows(op.x()))
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
        Preparation.requireBf16(op, op.x(), op.y());
        long active = op.active()
                .map(offsets -> to.address(offsets) + 4 * (offsets.dim(0) - 1))
                .orElse(0L);
        return to.call("swiglu", "swiglu_bf16", columns(op.y(), 2048))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(active)
                .size(op.y().dim(1))
                .wide(op.x().strides().step(0))
                .wide(op.y().strides().step(0));
    }

    /** A block for each row. */
    private static LaunchShape rows(TensorRef x) {
        int threads = (int) Math.min(512, 32 * Math.ceilDiv(x.dim(1), 256));
        return LaunchShape.of(Math.toIntExact(x.dim(0)), threads);
    }

    /** A block for each row and so many columns. */
    static LaunchShape columns(TensorRef y, int columns) {
        return LaunchShape.of(1, 256)
                .grid(Math.toIntExact(y.dim(0)), Math.toIntExact(Math.ceilDiv(y.dim(1), columns)), 1);
    }
}
