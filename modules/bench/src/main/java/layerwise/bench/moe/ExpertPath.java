package layerwise.bench.moe;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import layerwise.bench.config.MoeBackend;
import layerwise.op.Capabilities;
import layerwise.op.FusionRule;
import layerwise.op.GroupedLinear;
import layerwise.op.Program;
import layerwise.op.WeightFormat;
import layerwise.op.fusion.ExpertLoop;
import layerwise.op.fusion.Fusion;
import layerwise.tensor.ConfigException;

/**
 * How a step's experts run under a backend's name.
 *
 * @param asked  the backend that the configuration names
 * @param runs   the one whose way the experts go
 * @param reason why another one runs, or empty
 */
public record ExpertPath(MoeBackend asked, MoeBackend runs, Optional<String> reason) {

    /** Which products and activations are separate launches. */
    private enum Launches {
        /** SwiGLU in the epilogue of the first product over all experts. */
        FUSED,
        /** Two products over all experts, SwiGLU between them. */
        SEPARATE,
        /** The same, with a product for each expert. */
        LOOP
    }

    /**
     * What a backend does with experts of a format.
     *
     * @param option the configuration's key, for refusals
     * @param format of the experts' weights; empty where no layer has experts
     * @throws ConfigException if the backend neither takes the format nor has another in its place
     */
    public static ExpertPath of(String option, MoeBackend asked, Optional<WeightFormat> format) {
        if (format.isEmpty() || formats(asked).contains(format.get())) {
            return new ExpertPath(asked, asked, Optional.empty());
        }
        String name = format.get().name().toLowerCase(Locale.ROOT);
        if (asked == MoeBackend.DEEPGEMM) {
            throw new ConfigException(
                    "%s: DEEPGEMM: expected experts in fp8_block, these are %s; CUTLASS takes every format"
                            .formatted(option, name));
        }
        return new ExpertPath(asked, MoeBackend.CUTLASS, Optional.of("%s takes no %s experts".formatted(asked, name)));
    }

    /** As {@link #of(String, MoeBackend, Optional)}, for the experts of a step. */
    public static ExpertPath of(String option, MoeBackend asked, Program step) {
        Optional<WeightFormat> format = step.operators().stream()
                .filter(GroupedLinear.class::isInstance)
                .map(operator -> ((GroupedLinear) operator).w().format())
                .findFirst();
        return of(option, asked, format);
    }

    private static Set<WeightFormat> formats(MoeBackend backend) {
        return switch (backend) {
            case CUTLASS, WIDEEP, VANILLA -> EnumSet.allOf(WeightFormat.class);
            case TRTLLM, CUTEDSL -> EnumSet.of(WeightFormat.FP8_BLOCK, WeightFormat.NVFP4);
            case DEEPGEMM -> EnumSet.of(WeightFormat.FP8_BLOCK);
            case MARLIN -> EnumSet.of(WeightFormat.NVFP4);
        };
    }

    private Launches launches() {
        return switch (runs) {
            case CUTLASS, TRTLLM, WIDEEP, CUTEDSL -> Launches.FUSED;
            case DEEPGEMM, MARLIN -> Launches.SEPARATE;
            case VANILLA -> Launches.LOOP;
        };
    }

    /** The step as this path launches it: every fusion that the executor asks for, but for those the backend leaves out. */
    public Program apply(Program step, Capabilities capabilities) {
        return switch (launches()) {
            case FUSED -> Fusion.apply(step, capabilities);
            case SEPARATE -> Fusion.apply(step, withoutExperts(capabilities));
            case LOOP -> ExpertLoop.apply(Fusion.apply(step, withoutExperts(capabilities)));
        };
    }

    private static Capabilities withoutExperts(Capabilities capabilities) {
        Set<FusionRule> fusions = EnumSet.noneOf(FusionRule.class);
        fusions.addAll(capabilities.fusions());
        fusions.removeAll(EnumSet.of(FusionRule.GATED_GROUPED_LINEAR, FusionRule.GROUPED_LINEAR_COMBINE));
        return new Capabilities(fusions);
    }

    /** As in {@code TRTLLM, runs as CUTLASS (TRTLLM takes no bf16 experts): gated activations in the first product}. */
    @Override
    public String toString() {
        String way = switch (launches()) {
            case FUSED -> "gated activations in the first product";
            case SEPARATE -> "activations between the products";
            case LOOP -> "a product for each expert";
        };
        return reason.map(why -> "%s, runs as %s (%s)".formatted(asked, runs, why))
                        .orElse(asked.toString()) + ": " + way;
    }
}
