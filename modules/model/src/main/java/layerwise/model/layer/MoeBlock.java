package layerwise.model.layer;

import java.util.Optional;
import layerwise.model.spec.Family;

/**
 * What a mixture of experts is called in its family.
 *
 * @param range        around all of it
 * @param routerRange  around the router's product, where it has one of its own
 * @param sharedModule shared experts in the checkpoint
 * @param sharedGate   the matrix whose sigmoid weighs the shared expert, where there is one
 */
record MoeBlock(String range, Optional<String> routerRange, String sharedModule, Optional<String> sharedGate) {
    static MoeBlock of(Family family) {
        return switch (family) {
            case DEEPSEEK_V3 ->
                new MoeBlock("Deepseekv3MoE", Optional.of("DeepseekV3Gate"), "shared_experts.", Optional.empty());
            case NEMOTRON_H ->
                new MoeBlock("NemotronHMOE", Optional.of("DeepseekV3Gate"), "shared_experts.", Optional.empty());
            case QWEN3_NEXT ->
                new MoeBlock(
                        "Qwen3NextSparseMoeBlock",
                        Optional.empty(),
                        "shared_expert.",
                        Optional.of("shared_expert_gate"));
        };
    }
}
