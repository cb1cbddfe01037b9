package layerwise.kernels;

import java.util.List;
import java.util.Optional;
import layerwise.cuda.DeviceBuffer;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.MatmulAlgorithm;
import layerwise.cuda.MatmulOperand;
import layerwise.cuda.MatmulPlan;
import layerwise.cuda.MatmulProblem;
import layerwise.op.Lane;
import layerwise.op.Linear;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.op.WeightFormat;
import layerwise.tensor.DType;

/** Launches of dense products: cuBLASLt where alignment allows, kernels/{linear,linear_narrow,linear_fp8,
 * linear_nvfp4}.cu. */
final class DenseLaunches {
    /** Above, expanding NVFP4 to scratch for cuBLASLt takes less time, as kernels/linear_nvfp4.cu says. */
    private static final int NVFP4_TOKENS = 1280;

    /** Above, cuBLASLt takes less time with block-scaled operands than kernels/linear_fp8.cu. */
    private static final int FP8_TOKENS = 128;

    /** Columns up to which a warp takes each element of a product that cuBLASLt cannot take. */
    private static final int NARROW = 8;

    private DenseLaunches() {}

    static Launchable of(Preparation to, Linear op, Lane lane) {
        Preparation.requireBf16(op, op.x());
        return switch (op.w().scaling()) {
            case Scaling.Nvfp4 nvfp4 -> nvfp4(to, op, nvfp4, lane);
            case Scaling.Block block when op.w().roundsActivations(op.x().dtype()) -> fp8(to, op, block, lane);
            case Scaling.Block block -> plain(to, op, PlainWeights.bf16(to, op.w()), lane);
            case Scaling.None none ->
                op.w().data().dtype() == DType.BF16
                        ? plain(to, op, to.address(op.w().data()), lane)
                        : generic(to, op, "f32", to.address(op.w().data()));
        };
    }

    private static Launchable plain(Preparation to, Linear op, long weight, Lane lane) {
        Optional<Launchable> product = product(to, op, weight, lane);
        product.ifPresent(launchable -> to.path(op.w(), "cuBLASLt on bf16"));
        return product.orElseGet(() -> op.w().n() <= NARROW ? narrow(to, op, weight) : generic(to, op, "bf16", weight));
    }

    private static Launchable narrow(Preparation to, Linear op, long weight) {
        to.path(op.w(), "linear_narrow on the CUDA cores");
        long elements = op.x().dim(0) * op.w().n();
        LaunchShape shape = LaunchShape.of(Math.toIntExact(Math.ceilDiv(elements, 8L)), 256);
        KernelCall call = to.call("linear_narrow", "linear_narrow_" + outputType(op), shape)
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(weight)
                .wide(op.x().dim(0))
                .size(op.w().n())
                .size(op.w().k());
        return strides(call, op);
    }

    private static boolean aligned(Preparation to, TensorRef tensor) {
        long bytes = tensor.dtype().bits() / 8;
        return to.address(tensor) % 16 == 0 && tensor.strides().step(0) * bytes % 16 == 0;
    }

    /** By cuBLASLt, where operands lie as its fast algorithms need them. */
    private static Optional<Launchable> product(Preparation to, Linear op, long weight, Lane lane) {
        if (!aligned(to, op.x()) || !aligned(to, op.y()) || op.w().k() % 8 != 0 || weight % 16 != 0) {
            return Optional.empty();
        }
        MatmulProblem problem = problem(
                op,
                new MatmulOperand(DType.BF16, op.w().k(), 0),
                new MatmulOperand(DType.BF16, op.x().strides().step(0), 0),
                MatmulProblem.Scales.NONE);
        MatmulPlan plan = to.own(to.gpu().products().plan(problem));
        return bound(to, plan, weight, to.address(op.x()), op.y(), lane);
    }

    /** The weight is cuBLASLt's first operand, activations the second. */
    private static MatmulProblem problem(Linear op, MatmulOperand w, MatmulOperand x, MatmulProblem.Scales scales) {
        return new MatmulProblem(
                op.w().n(),
                op.x().dim(0),
                op.w().k(),
                true,
                false,
                w,
                x,
                new MatmulOperand(op.y().dtype(), op.y().strides().step(0), 0),
                1,
                false,
                false,
                scales);
    }

    /** A plan with its addresses and the algorithm that the tuner chooses, if the library can do it. */
    static Optional<Launchable> bound(Preparation to, MatmulPlan plan, long w, long x, TensorRef y, Lane lane) {
        List<MatmulAlgorithm> suggestions = plan.heuristics(ProductTuner.SUGGESTIONS, Preparation.PRODUCT_WORKSPACE);
        if (suggestions.isEmpty()) {
            return Optional.empty();
        }
        DeviceBuffer workspace = to.productWorkspace(lane);
        plan.use(suggestions.getFirst());
        plan.bind(w, x, to.address(y), workspace);
        plan.use(to.gpu().tuner().choose(plan, suggestions));
        to.launches("cuBLASLt");
        return Optional.of(plan::launch);
    }

    private static Launchable generic(Preparation to, Linear op, String format, long weight) {
        to.path(op.w(), "linear_%s on the CUDA cores".formatted(format));
        KernelCall call = to.call("linear", "linear_%s_%s".formatted(format, outputType(op)), tiles(op))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(weight);
        return strides(sizes(call, op), op);
    }

    private static String outputType(Linear op) {
        if (op.y().dtype() != DType.F32) {
            Preparation.requireBf16(op, op.y());
            return "bf16";
        }
        return "f32";
    }

    private static LaunchShape tiles(Linear op) {
        return LaunchShape.of(1, 256)
                .grid(
                        Math.toIntExact(Math.ceilDiv(op.w().n(), 64)),
                        Math.toIntExact(Math.ceilDiv(op.x().dim(0), 64)),
                        1);
    }

    private static Launchable strides(KernelCall call, Linear op) {
        return call.wide(op.x().strides().step(0)).wide(op.y().strides().step(0));
    }

    private static Launchable nvfp4(Preparation to, Linear op, Scaling.Nvfp4 scales, Lane lane) {
        long segments = scales.segmentScales().dim(-1);
        long tokens = op.x().dim(0);
        boolean tuned = op.y().dtype() == DType.BF16 && ProductOperands.fit(to, op.x());
        if (tuned && tokens >= NVFP4_TOKENS) {
            long scratch = to.scratch(lane, 2 * op.w().data().shape().elements());
            Optional<Launchable> product = product(to, op, scratch, lane);
            if (product.isPresent()) {
                to.pathOfExpanded(op.w(), "cuBLASLt on bf16");
                return Launchable.sequence(PlainWeights.expansion(to, op.w(), scratch), product.get());
            }
        }
        if (tuned) {
            ProductVariant variant = ProductVariants.dense(
                    WeightFormat.NVFP4, tokens, op.w().n(), op.w().k());
            KernelCall call = tuned(to, op, "linear_nvfp4", variant)
                    .map(ProductOperands.activations(to, op.x(), variant.tokens()))
                    .pointer(ProductOperands.nvfp4Tiles(to, op.w(), false))
                    .pointer(to.address(scales.segmentScales()));
            return sizes(call, op).size(segments).wide(op.y().strides().step(0));
        }
        to.pathAsStored(op.w(), "linear_nvfp4 on the CUDA cores");
        KernelCall call = to.call("linear", "linear_nvfp4_" + outputType(op), tiles(op))
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(to.address(op.w().data()))
                .pointer(to.address(scales.blockScales()))
                .pointer(to.address(scales.segmentScales()));
        return strides(sizes(call, op).size(op.w().n() / segments), op);
    }

    /** Many tokens by cuBLASLt but for the last one to three, since it wants rows of scales at multiples of 16 bytes. */
    private static Launchable fp8(Preparation to, Linear op, Scaling.Block block, Lane lane) {
        Preparation.requireBf16(op, op.y());
        long tokens = op.x().dim(0);
        if (tokens > FP8_TOKENS) {
            long fours = tokens / 4 * 4;
            Optional<Launchable> product = fp8Product(to, rows(op, 0, fours), block, lane);
            if (product.isPresent()) {
                to.pathAsStored(op.w(), "cuBLASLt on e4m3");
                return fours == tokens
                        ? product.get()
                        : Launchable.sequence(product.get(), ownFp8(to, rows(op, fours, tokens), block, lane));
            }
        }
        return ownFp8(to, op, block, lane);
    }

    private static Linear rows(Linear op, long from, long to) {
        return new Linear(op.x().slice(0, from, to), op.w(), op.y().slice(0, from, to));
    }

    private static Launchable ownFp8(Preparation to, Linear op, Scaling.Block block, Lane lane) {
        ProductVariant variant = ProductVariants.dense(
                WeightFormat.FP8_BLOCK, op.x().dim(0), op.w().n(), op.w().k());
        RoundedActivations rounded = RoundedActivations.scratch(to, op.x(), lane);
        KernelCall call = tuned(to, op, "linear_fp8", variant)
                .map(rounded.codes(variant.tokens()))
                .map(rounded.scales(variant.tokens()))
                .map(ProductOperands.weights(
                        to, op.w(), DType.E4M3, to.address(op.w().data()), false))
                .pointer(to.address(block.scales()));
        return Launchable.sequence(
                rounded.rounding(op.x(), block.activations(), 0),
                sizes(call, op).wide(op.y().strides().step(0)));
    }

    /** By cuBLASLt, which wants every four blocks of a row of weights together. */
    private static Optional<Launchable> fp8Product(Preparation to, Linear op, Scaling.Block block, Lane lane) {
        if (!aligned(to, op.y()) || block.scales().dim(-1) % 4 != 0) {
            return Optional.empty();
        }
        RoundedActivations rounded = RoundedActivations.denseScratch(to, op.x(), lane);
        MatmulProblem problem = problem(
                op,
                new MatmulOperand(DType.E4M3, op.w().k(), 0),
                new MatmulOperand(DType.E4M3, rounded.pitch(), 0),
                MatmulProblem.Scales.BLOCK_128);
        MatmulPlan plan = to.own(to.gpu().products().plan(problem));
        plan.bindScales(to.address(block.scales()), rounded.scales());
        return bound(to, plan, to.address(op.w().data()), rounded.codes(), op.y(), lane)
                .map(product -> Launchable.sequence(rounded.rounding(op.x(), block.activations(), 0), product));
    }

    /** A launch of a variant, y given. */
    private static KernelCall tuned(Preparation to, Linear op, String operation, ProductVariant variant) {
        LaunchShape shape = variant.denseShape(
                op.x().dim(0), op.w().n(), to.gpu().device().info().multiprocessors());
        String symbol = operation + "_" + variant.denseName();
        to.pathAsStored(op.w(), symbol);
        return to.call(operation, symbol, shape).pointer(to.address(op.y()));
    }

    private static KernelCall sizes(KernelCall call, Linear op) {
        return call.size(op.x().dim(0)).size(op.w().n()).size(op.w().k());
    }
}
