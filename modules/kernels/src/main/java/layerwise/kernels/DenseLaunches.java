package layerwise.kernels;

import java.util.List;
import java.util.Optional;
import layerwise.cuda.DeviceBuffer;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.MatmulAlgorithm;
import layerwise.cuda.MatmulOperand;
import layerwise.cuda.MatmulPlan;
import layerwise.cuda.MatmulProblem;
import layerwise.op.HeadLinear;
import layerwise.op.Lane;
import layerwise.op.Linear;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** Launches of dense products: cuBLASLt where alignment allows, kernels/{linear,linear_nvfp4,head_linear}.cu. */
final class DenseLaunches {
    /** Above, expanding NVFP4 to scratch for cuBLASLt takes less time, as kernels/linear_nvfp4.cu says. */
    private static final int NVFP4_TOKENS = 1280;

    private static final int HEAD_SHARED = 98_304;

    private DenseLaunches() {}

    static Launchable of(Preparation to, Linear op, Lane lane) {
        Preparation.requireBf16(op, op.x());
        return switch (op.w().scaling()) {
            case Scaling.Nvfp4 nvfp4 -> nvfp4(to, op, nvfp4, lane);
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
        return product.orElseGet(() -> generic(to, op, "bf16", weight));
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
        MatmulProblem problem = new MatmulProblem(
                op.w().n(),
                op.x().dim(0),
                op.w().k(),
                true,
                false,
                new MatmulOperand(DType.BF16, op.w().k(), 0),
                new MatmulOperand(DType.BF16, op.x().strides().step(0), 0),
                new MatmulOperand(op.y().dtype(), op.y().strides().step(0), 0),
                1,
                false,
                false,
                MatmulProblem.Scales.NONE);
        MatmulPlan plan = to.own(to.gpu().products().plan(problem));
        List<MatmulAlgorithm> suggestions = plan.heuristics(ProductTuner.SUGGESTIONS, Preparation.PRODUCT_WORKSPACE);
        if (suggestions.isEmpty()) {
            return Optional.empty();
        }
        DeviceBuffer workspace = to.productWorkspace(lane);
        plan.use(suggestions.getFirst());
        plan.bind(weight, to.address(op.x()), to.address(op.y()), workspace);
        plan.use(to.gpu().tuner().choose(plan, suggestions));
        return Optional.of(plan::launch);
    }

    private static Launchable generic(Preparation to, Linear op, String format, long weight) {
        to.path(op.w(), "linear_%s on the CUDA cores".formatted(format));
        return strides(
                to.call("linear", "linear_%s_%s".formatted(format, outputType(op)), tiles(op))
                        .pointer(to.address(op.y()))
                        .pointer(to.address(op.x()))
                        .pointer(weight)
                        .size(op.x().dim(0))
                        .size(op.w().n())
                        .size(op.w().k()),
                op);
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
        long segmentRows = op.w().n() / scales.segmentScales().dim(-1);
        long tokens = op.x().dim(0);
        boolean tuned = op.w().k() % 64 == 0
                && op.y().dtype() == DType.BF16
                && aligned(to, op.x())
                && to.address(op.y()) % 16 == 0;
        if (tuned && tokens >= NVFP4_TOKENS) {
            long scratch = to.scratch(2 * op.w().data().shape().elements());
            Optional<Launchable> product = product(to, op, scratch, lane);
            if (product.isPresent()) {
                to.pathOfExpanded(op.w(), "cuBLASLt on bf16");
                return Launchable.sequence(PlainWeights.nvfp4(to, op.w(), scales, scratch), product.get());
            }
        }
        KernelCall call;
        if (tuned) {
            WideProduct wide = WideProduct.dense(tokens, op.w().n());
            to.path(op.w(), wide.denseSymbol() + ", expanded in the kernel");
            call = to.call(
                    "linear_nvfp4",
                    wide.denseSymbol(),
                    wide.denseShape(tokens, op.w().n()));
        } else {
            to.path(op.w(), "linear_nvfp4 on the CUDA cores");
            call = to.call("linear", "linear_nvfp4_" + outputType(op), tiles(op));
        }
        return strides(
                call.pointer(to.address(op.y()))
                        .pointer(to.address(op.x()))
                        .pointer(to.address(op.w().data()))
                        .pointer(to.address(scales.blockScales()))
                        .pointer(to.address(scales.segmentScales()))
                        .size(tokens)
                        .size(op.w().n())
                        .size(op.w().k())
                        .size(segmentRows),
                op);
    }

    static Launchable of(Preparation to, HeadLinear op) {
        Preparation.requireBf16(op, op.x(), op.y());
        if (op.w().scaling() instanceof Scaling.None) {
            Preparation.requireBf16(op, op.w().data());
        }
        long tokens = op.x().dim(0);
        LaunchShape shape = LaunchShape.of(1, 256)
                .grid(
                        Math.toIntExact(Math.ceilDiv(op.y().dim(2), 128)),
                        Math.toIntExact(Math.ceilDiv(tokens, 64)),
                        Math.toIntExact(op.x().dim(1)))
                .shared(HEAD_SHARED);
        String symbol = op.transposed() ? "head_linear_transposed_bf16" : "head_linear_plain_bf16";
        to.path(op.w(), symbol);
        return to.call("head_linear", symbol, shape)
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(PlainWeights.bf16(to, op.w()))
                .size(tokens)
                .size(op.y().dim(2))
                .size(op.x().dim(2))
                .number(op.headRows())
                .number(op.firstRow())
                .wide(op.x().strides().step(0))
                .wide(op.x().strides().step(1))
                .wide(op.y().strides().step(0))
                .wide(op.y().strides().step(1));
    }
}
