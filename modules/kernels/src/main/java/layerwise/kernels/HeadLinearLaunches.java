package layerwise.kernels;

import java.util.Optional;
import layerwise.cuda.LaunchShape;
import layerwise.cuda.MatmulOperand;
import layerwise.cuda.MatmulPlan;
import layerwise.cuda.MatmulProblem;
import layerwise.op.HeadLinear;
import layerwise.op.Lane;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** Launches of a product per head: a batch of cuBLASLt where operands lie as it needs them, else kernels/head_linear.cu. */
final class HeadLinearLaunches {
    private static final int SHARED = 73_728;

    private HeadLinearLaunches() {}

    static Launchable of(Preparation to, HeadLinear op, Lane lane) {
        boolean codes = op.transposed() && op.y().dtype() == DType.E4M3;
        Preparation.requireBf16(op, op.x());
        if (!codes) {
            Preparation.requireBf16(op, op.y());
        }
        if (op.w().scaling() instanceof Scaling.None) {
            Preparation.requireBf16(op, op.w().data());
        }
        long weight = PlainWeights.bf16(to, op.w());
        Optional<Launchable> product = codes ? Optional.empty() : product(to, op, weight, lane);
        product.ifPresent(launchable -> to.path(op.w(), "cuBLASLt on bf16"));
        return product.orElseGet(() -> own(to, op, weight, codes));
    }

    /** The weight is cuBLASLt's first operand, as stored [K,N] or transposed [N,K]; heads are the batch. */
    private static Optional<Launchable> product(Preparation to, HeadLinear op, long weight, Lane lane) {
        long columns = op.w().data().dim(1);
        long first = weight + DType.BF16.bytes(op.firstRow() * columns);
        if (!aligned(to, op.x()) || !aligned(to, op.y()) || columns % 8 != 0 || first % 16 != 0) {
            return Optional.empty();
        }
        MatmulProblem problem = new MatmulProblem(
                op.y().dim(2),
                op.x().dim(0),
                op.x().dim(2),
                !op.transposed(),
                false,
                new MatmulOperand(DType.BF16, columns, op.headRows() * columns),
                perHead(op.x()),
                perHead(op.y()),
                Math.toIntExact(op.x().dim(1)),
                false,
                false,
                MatmulProblem.Scales.NONE);
        MatmulPlan plan = to.own(to.gpu().products().plan(problem));
        return DenseLaunches.bound(to, plan, first, to.address(op.x()), op.y(), lane);
    }

    private static boolean aligned(Preparation to, TensorRef tensor) {
        return to.address(tensor) % 16 == 0
                && tensor.strides().step(0) % 8 == 0
                && tensor.strides().step(1) % 8 == 0;
    }

    private static MatmulOperand perHead(TensorRef tensor) {
        return new MatmulOperand(
                DType.BF16, tensor.strides().step(0), tensor.strides().step(1));
    }

    private static Launchable own(Preparation to, HeadLinear op, long weight, boolean codes) {
        long tokens = op.x().dim(0);
        LaunchShape shape = LaunchShape.of(1, 256)
                .grid(
                        Math.toIntExact(Math.ceilDiv(op.y().dim(2), 128)),
                        Math.toIntExact(Math.ceilDiv(tokens, 64)),
                        Math.toIntExact(op.x().dim(1)))
                .shared(SHARED);
        String symbol =
                "head_linear_%s_%s".formatted(op.transposed() ? "transposed" : "plain", codes ? "e4m3" : "bf16");
        to.path(op.w(), symbol);
        return to.call("head_linear", symbol, shape)
                .pointer(to.address(op.y()))
                .pointer(to.address(op.x()))
                .pointer(weight)
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
