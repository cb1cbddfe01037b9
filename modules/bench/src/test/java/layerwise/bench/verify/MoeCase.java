package layerwise.bench.verify;

import java.util.List;
import java.util.Optional;
import layerwise.bench.config.MoeBackend;
import layerwise.bench.moe.ExpertPath;
import layerwise.model.spec.Activation;
import layerwise.model.spec.Family;
import layerwise.model.spec.LayerSpec;
import layerwise.model.spec.ModelSpec;
import layerwise.model.spec.MoeSpec;
import layerwise.model.spec.Quantization;
import layerwise.op.Routing;
import layerwise.op.ScaleFormat;
import layerwise.op.WeightFormat;
import layerwise.tensor.DType;

/**
 * One mixture of experts: how it is stored, launched and divided, and where tokens go.
 *
 * @param tokens of all ranks
 * @param ranks  1, or so many data-parallel ranks of which the last one's part is meant
 */
record MoeCase(
        MoeBackend backend,
        WeightFormat format,
        int tokens,
        int experts,
        int topK,
        TokenRouting tokenRouting,
        RouterKind router,
        Width width,
        int ranks) {
    /** How logits become choices, as in DeepSeek-V3 or in Qwen3-Next. */
    enum RouterKind {
        SIGMOID_GROUPS,
        SOFTMAX
    }

    /** Sizes of an expert's matrices. */
    enum Width {
        /** Whole blocks of scales, and tiles that are not full. */
        SMALL,
        /** What the format just allows: bfloat16 rows that no tensor map takes, blocks of scales cut short. */
        ODD,
        /** DeepSeek-R1's. */
        FULL
    }

    int hidden() {
        return switch (width) {
            case SMALL -> 256;
            case ODD -> format == WeightFormat.BF16 ? 104 : 208;
            case FULL -> 7168;
        };
    }

    int intermediate() {
        return switch (width) {
            case SMALL -> 128;
            case ODD ->
                switch (format) {
                    case BF16 -> 36;
                    case NVFP4 -> 48;
                    default -> 384;
                };
            case FULL -> 2048;
        };
    }

    /** Bytes of the experts that one rank has. */
    long expertBytes() {
        double each = switch (format) {
            case NVFP4 -> 0.5625;
            case FP8_BLOCK -> 1;
            default -> 2;
        };
        return Math.round(3.0 * hidden() * intermediate() * experts / ranks * each);
    }

    /** Whether a model could be like this, and the backend runs it as asked. */
    boolean exists() {
        boolean backendTakesIt = switch (backend) {
            case CUTLASS, VANILLA -> true;
            case WIDEEP -> ranks > 1;
            case TRTLLM, CUTEDSL -> format != WeightFormat.BF16;
            case DEEPGEMM -> format == WeightFormat.FP8_BLOCK;
            case MARLIN -> format == WeightFormat.NVFP4;
        };
        return backendTakesIt && topK <= tokenRouting.reachable(experts);
    }

    ExpertPath path() {
        return ExpertPath.of("moe_backend", backend, Optional.of(format));
    }

    ModelSpec model() {
        Routing routing = switch (router) {
            case SIGMOID_GROUPS ->
                experts >= 64 ? new Routing.SigmoidGroups(8, 4, true, 2.5) : new Routing.SigmoidGroups(1, 1, true, 2.5);
            case SOFTMAX -> new Routing.Softmax(true);
        };
        int shared = width == Width.FULL ? intermediate() : 128;
        MoeSpec moe = new MoeSpec(experts, topK, intermediate(), shared, routing, Activation.SWIGLU);
        Quantization quantization = format == WeightFormat.BF16
                ? Quantization.none()
                : new Quantization(Optional.of(format), ScaleFormat.FLOAT32, List.of(), Optional.empty());
        Family family = router == RouterKind.SOFTMAX ? Family.QWEN3_NEXT : Family.DEEPSEEK_V3;
        return new ModelSpec(toString(), family, hidden(), 1e-6, List.of(LayerSpec.of(moe)), DType.BF16, quantization);
    }

    @Override
    public String toString() {
        return "%s %s %d tokens top %d of %d %s %s %s%s"
                .formatted(
                        backend,
                        format,
                        tokens,
                        topK,
                        experts,
                        tokenRouting,
                        router,
                        width,
                        ranks == 1 ? "" : " last of %d ranks".formatted(ranks));
    }
}
