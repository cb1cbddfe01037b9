package layerwise.kernels;

import java.util.Optional;
import layerwise.cuda.LaunchShape;
import layerwise.op.Activations;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GroupedLinear;
import layerwise.op.Lane;
import layerwise.op.Operator;
import layerwise.op.Scaling;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.op.WeightFormat;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;

/**
 * Launches of kernels/{grouped_linear,gated_grouped_linear}.cu.
 *
 * @param gated whether SwiGLU is in the epilogue
 */
record ExpertLaunches(
        Preparation to, Lane lane, boolean gated, Activations x, TensorRef offsets, Weight w, TensorRef y) {
    private static final int MOST_EXPERTS = 512;
    private static final int PLAIN_TILE = 64;

    static Launchable of(Preparation to, GroupedLinear op, Lane lane) {
        require(op, op.x(), op.y(), op.w());
        return new ExpertLaunches(to, lane, false, op.x(), op.offsets(), op.w(), op.y()).launch();
    }

    static Launchable of(Preparation to, GatedGroupedLinear op, Lane lane) {
        require(op, op.x(), op.y(), op.w());
        return new ExpertLaunches(to, lane, true, op.x(), op.offsets(), op.w(), op.y()).launch();
    }

    private static void require(Operator op, Activations x, TensorRef y, Weight w) {
        Preparation.requireBf16(op, y);
        if (!x.isRounded()) {
            Preparation.requireBf16(op, x.data());
        }
        if (w.data().dim(0) > MOST_EXPERTS) {
            throw new ConfigException(
                    "device: %s: expected at most %d experts on a GPU".formatted(op.label(), MOST_EXPERTS));
        }
    }

    private Launchable launch() {
        return switch (w.scaling()) {
            case Scaling.None none -> bf16(to.address(w.data()));
            case Scaling.Nvfp4 scales -> nvfp4(scales);
            case Scaling.Block block when x.isRounded() -> fp8(block);
            case Scaling.Block block -> bf16(PlainWeights.bf16(to, w));
        };
    }

    private long experts() {
        return w.data().dim(0);
    }

    private String operation() {
        return gated ? "gated_grouped_linear" : "grouped_linear";
    }

    private ProductVariant variant() {
        return ProductVariants.experts(w.format(), x.rows(), experts(), w.n());
    }

    /** A launch of a variant, y given. */
    private KernelCall call(ProductVariant variant, String format) {
        String symbol = "%s_%s_%s".formatted(operation(), variant.name(), format);
        path(symbol, format);
        return to.call(operation(), symbol, shape(variant)).pointer(to.address(y));
    }

    /** Bfloat16 weights are too many bytes for L2 to wait for a second tile of rows. */
    private LaunchShape shape(ProductVariant variant) {
        if (w.format() == WeightFormat.BF16 && x.rows() > variant.tokens() * experts()) {
            return variant.orderedExpertShape(y.dim(1), gated, x.rows(), experts());
        }
        return variant.expertShape(
                y.dim(1), gated, x.rows(), experts(), to.gpu().device().info().multiprocessors());
    }

    /** A launch that takes every shape and alignment, y and activations given. */
    private KernelCall any(String format) {
        long tiles = Math.ceilDiv(y.dim(1), PLAIN_TILE) * ProductVariant.mostTiles(x.rows(), experts(), PLAIN_TILE);
        LaunchShape shape = LaunchShape.of(Math.toIntExact(tiles), 256);
        String symbol = "%s_any_%s".formatted(operation(), format);
        path(symbol + " on the CUDA cores", format);
        return to.call(operation(), symbol, shape)
                .pointer(to.address(y))
                .pointer(to.address(x.data()))
                .pointer(to.address(offsets));
    }

    private void path(String symbol, String format) {
        if (format.equals("bf16")) {
            to.path(w, symbol);
        } else {
            to.pathAsStored(w, symbol);
        }
    }

    private KernelCall sizes(KernelCall call) {
        return call.size(experts()).size(w.n()).size(w.k());
    }

    /** Gated tiles take eight rows of either half in turn. */
    private boolean wholeEights() {
        return !gated || w.n() % 16 == 0;
    }

    private Launchable bf16(long weight) {
        if (w.k() % 8 == 0 && weight % 16 == 0 && wholeEights() && ProductOperands.fit(to, x.data())) {
            ProductVariant variant = variant();
            KernelCall call = call(variant, "bf16")
                    .map(ProductOperands.activations(to, x.data(), variant.tokens()))
                    .pointer(to.address(offsets))
                    .map(ProductOperands.weights(to, w, DType.BF16, weight, gated));
            return sizes(call).wide(y.strides().step(0));
        }
        return sizes(any("bf16").pointer(weight))
                .wide(x.data().strides().step(0))
                .wide(y.strides().step(0));
    }

    private Launchable nvfp4(Scaling.Nvfp4 scales) {
        long segments = scales.segmentScales().dim(-1);
        if (ProductOperands.fit(to, x.data())) {
            ProductVariant variant = variant();
            KernelCall call = call(variant, "nvfp4")
                    .map(ProductOperands.activations(to, x.data(), variant.tokens()))
                    .pointer(to.address(offsets))
                    .pointer(ProductOperands.nvfp4Tiles(to, w, gated))
                    .pointer(to.address(scales.segmentScales()));
            return sizes(call).size(segments).wide(y.strides().step(0));
        }
        KernelCall call = any("nvfp4")
                .pointer(to.address(w.data()))
                .pointer(to.address(scales.blockScales()))
                .pointer(to.address(scales.segmentScales()));
        return sizes(call)
                .size(segments)
                .wide(x.data().strides().step(0))
                .wide(y.strides().step(0));
    }

    /** Where a gated tile's 64 rows of the second half would lie in two blocks of scales, products and SwiGLU go apart. */
    private Launchable fp8(Scaling.Block block) {
        if (gated && y.dim(1) % 64 != 0) {
            TensorRef both = to.scratch(lane, DType.BF16, x.rows(), w.n());
            return Launchable.sequence(
                    new ExpertLaunches(to, lane, false, x, offsets, w, both).launch(),
                    PointwiseLaunches.of(to, new SwiGlu(both, Optional.of(offsets), y)));
        }
        ProductVariant variant = variant();
        RoundedActivations rounded = RoundedActivations.of(to, x);
        KernelCall call = call(variant, "fp8")
                .map(rounded.codes(variant.tokens()))
                .map(rounded.scales(variant.tokens()))
                .pointer(to.address(offsets))
                .map(ProductOperands.weights(to, w, DType.E4M3, to.address(w.data()), gated))
                .pointer(to.address(block.scales()));
        return sizes(call).wide(y.strides().step(0));
    }
}
