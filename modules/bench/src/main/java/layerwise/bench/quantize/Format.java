package layerwise.bench.quantize;

import java.util.List;
import layerwise.tensor.ConfigException;

/** Formats that checkpoints are written in. */
enum Format {
    /** Plain bfloat16. */
    BF16,
    /** E4M3 with a float32 scale for 128 × 128 elements, as DeepSeek publishes. */
    FP8,
    /** E2M1 with E4M3 scales for 16 elements, as ModelOpt writes. */
    NVFP4;

    /**
     * Modules that stay plain unless the user says otherwise: input projections of recurrent mixers, whose parts share no blocks
     * of 128 rows; with NVFP4, as in NVIDIA's checkpoints, everything that reads the mixer's input.
     */
    List<String> excluded() {
        return switch (this) {
            case BF16 -> List.of();
            case FP8 -> List.of("*.linear_attn.in_proj*", "*.mixer.in_proj", "*.shared_expert_gate");
            case NVFP4 ->
                List.of(
                        "*.self_attn.q_a_proj",
                        "*.self_attn.q_b_proj",
                        "*.self_attn.kv_a_proj_with_mqa",
                        "*.self_attn.kv_b_proj",
                        "*.self_attn.q_proj",
                        "*.self_attn.k_proj",
                        "*.self_attn.v_proj",
                        "*.self_attn.indexer*",
                        "*.linear_attn.in_proj*",
                        "*.mixer.in_proj",
                        "*.mixer.q_proj",
                        "*.mixer.k_proj",
                        "*.mixer.v_proj",
                        "*.shared_expert_gate");
        };
    }

    static Format parse(String text) {
        return switch (text) {
            case "bf16" -> BF16;
            case "fp8" -> FP8;
            case "nvfp4" -> NVFP4;
            default ->
                throw new ConfigException(
                        "command line: --format: expected bf16, fp8 or nvfp4, got '%s'".formatted(text));
        };
    }
}
