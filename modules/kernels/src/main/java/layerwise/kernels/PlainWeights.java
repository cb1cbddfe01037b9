package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.op.Scaling;
import layerwise.op.Weight;

/** Weights as plain bfloat16 matrices: where they lie as such, or a copy that is made once and kept beside them. */
final class PlainWeights {
    private PlainWeights() {}

    /** Address of the weight in bfloat16. */
    static long bf16(Preparation to, Weight w) {
        if (w.scaling() instanceof Scaling.None) {
            return to.address(w.data());
        }
        Weight stack = w.stack();
        long copy = to.memory()
                .companion(
                        w.data().buffer(),
                        "bf16",
                        2 * stack.data().shape().elements(),
                        made -> expansion(to, stack, made.address())
                                .launch(to.gpu().main()))
                .address();
        return copy + 2 * w.data().offset();
    }

    /** Expands a scaled weight to {@code target}. */
    static Launchable expansion(Preparation to, Weight w, long target) {
        return switch (w.scaling()) {
            case Scaling.None none -> throw new IllegalArgumentException(w + " is not scaled");
            case Scaling.Block block -> blockScaled(to, w, block, target);
            case Scaling.Nvfp4 nvfp4 -> nvfp4(to, w, nvfp4, target);
        };
    }

    private static Launchable blockScaled(Preparation to, Weight w, Scaling.Block block, long target) {
        long experts = w.data().rank() == 3 ? w.data().dim(0) : 1;
        LaunchShape shape = LaunchShape.of(1, 256)
                .grid(Math.toIntExact(w.n()), Math.toIntExact(Math.ceilDiv(w.k(), 4096)), Math.toIntExact(experts));
        return to.call("dequant_fp8_block", "dequant_fp8_block_bf16", shape)
                .pointer(target)
                .pointer(to.address(w.data()))
                .pointer(to.address(block.scales()))
                .size(w.n())
                .size(w.k())
                .number(block.rows())
                .number(block.columns());
    }

    private static Launchable nvfp4(Preparation to, Weight w, Scaling.Nvfp4 nvfp4, long target) {
        long rows = w.data().shape().elements() / w.k();
        long segments = nvfp4.segmentScales().shape().elements();
        return to.call(
                        "dequant_nvfp4",
                        "dequant_nvfp4_bf16",
                        LaunchShape.of(Math.toIntExact(Math.ceilDiv(rows * w.k(), 4096)), 256))
                .pointer(target)
                .pointer(to.address(w.data()))
                .pointer(to.address(nvfp4.blockScales()))
                .pointer(to.address(nvfp4.segmentScales()))
                .wide(rows)
                .size(w.k())
                .wide(rows / segments);
    }
}
