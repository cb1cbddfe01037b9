package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/** Launches of kernels/{grouped_linear,gated_grouped_linear}.cu. */
final class ExpertLaunches {
    private static final int PLAIN_TILE = 64;

    private ExpertLaunches() {}

    static Launchable of(Preparation to, String operation, TensorRef x, TensorRef offsets, Weight w, TensorRef y) {
        if (x.dtype() != DType.BF16 || y.dtype() != DType.BF16) {
            throw new ConfigException(
                    "device: %s of %s: expected bfloat16 on a GPU, or --device reference".formatted(operation, x));
        }
        boolean nvfp4 = w.scaling() instanceof Scaling.Nvfp4;
        long pairs = x.dim(0);
        long experts = w.data().dim(0);
        // A gated product's block makes half as many columns, of both halves of the weight.
        long columnTiles = Math.ceilDiv(y.dim(1), operation.startsWith("gated") ? 64 : 128);
        long weight = nvfp4 ? to.address(w.data()) : PlainWeights.bf16(to, w);
        boolean tuned = w.k() % (nvfp4 ? 64 : 8) == 0
                && (to.address(x) | weight) % 16 == 0
                && x.strides().step(0) % 8 == 0;
        String format = nvfp4 ? "nvfp4" : "bf16";
        KernelCall call;
        if (tuned) {
            WideProduct wide = WideProduct.experts(pairs, experts);
            String symbol = "%s_n%d_%s".formatted(operation, wide.width(), format);
            to.path(w, symbol + (nvfp4 ? ", expanded in the kernel" : ""));
            call = to.call(operation, symbol, wide.expertShape(columnTiles, pairs, experts, nvfp4));
        } else {
            int blocks = WideProduct.tiles(Math.ceilDiv(y.dim(1), PLAIN_TILE), pairs, experts, PLAIN_TILE);
            to.path(w, "%s_any_%s on the CUDA cores".formatted(operation, format));
            call = to.call(operation, "%s_any_%s".formatted(operation, format), LaunchShape.of(blocks, 256));
        }
        call.pointer(to.address(y))
                .pointer(to.address(x))
                .pointer(to.address(offsets))
                .pointer(weight);
        if (w.scaling() instanceof Scaling.Nvfp4 scales) {
            call.pointer(to.address(scales.blockScales())).pointer(to.address(scales.segmentScales()));
        }
        call.size(experts).size(w.n()).size(w.k());
        if (w.scaling() instanceof Scaling.Nvfp4 scales) {
            call.size(scales.segmentScales().dim(-1));
        }
        return call.wide(x.strides().step(0)).wide(y.strides().step(0));
    }
}
