package layerwise.model.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.op.Routing;
import layerwise.tensor.ConfigException;

/** {@code model_type: nemotron_h}, as published and as transformers 5 writes it. */
final class NemotronHReader {
    private NemotronHReader() {}

    static ModelSpec read(String name, JsonFields config, Quantization quantization) {
        for (String flag : List.of("attention_bias", "mlp_bias", "use_bias", "mamba_proj_bias")) {
            config.requireUnset(flag);
        }
        if (config.has("mamba_hidden_act")) {
            config.choice("mamba_hidden_act", List.of("silu"));
        }
        if (config.has("mlp_hidden_act")) {
            config.choice("mlp_hidden_act", List.of("relu2"));
        }
        if (config.has("moe_latent_size")) {
            throw new ConfigException(
                    config.file() + ": moe_latent_size: experts in a latent space are not supported, expected null");
        }
        config.requireUnlimited("time_step_limit");
        List<LayerSpec> layers = new ArrayList<>();
        for (String kind : kinds(config)) {
            layers.add(
                    switch (kind) {
                        case "M", "mamba", "linear_attention" -> LayerSpec.of(mamba(config));
                        case "*", "attention", "full_attention" -> LayerSpec.of(attention(config));
                        case "E", "moe" -> LayerSpec.of(moe(config));
                        case "-", "mlp" ->
                            LayerSpec.of(new DenseSpec(config.positive("intermediate_size"), Activation.SQUARED_RELU));
                        default ->
                            throw new ConfigException("%s: layer %d is '%s': expected M, *, E or -"
                                    .formatted(config.file(), layers.size(), kind));
                    });
        }
        if (config.has("num_hidden_layers") && config.integer("num_hidden_layers") != layers.size()) {
            throw new ConfigException("%s: num_hidden_layers: %d, but the pattern has %d layers"
                    .formatted(config.file(), config.integer("num_hidden_layers"), layers.size()));
        }
        return new ModelSpec(
                name,
                Family.NEMOTRON_H,
                config.positive("hidden_size"),
                config.number("layer_norm_epsilon", 1e-5),
                layers,
                config.modelDtype(),
                quantization);
    }

    /** Kinds of the layers: a pattern of letters in published files, a list of words in others. */
    private static List<String> kinds(JsonFields config) {
        return config.has("layers_block_type")
                ? config.texts("layers_block_type")
                : List.of(config.text("hybrid_override_pattern").split(""));
    }

    private static Mamba2Spec mamba(JsonFields config) {
        return new Mamba2Spec(
                config.positive("mamba_num_heads"),
                config.positive("mamba_head_dim"),
                config.positive("n_groups"),
                config.positive("ssm_state_size"),
                config.positive("conv_kernel"),
                config.flag("use_conv_bias", true),
                config.positive("chunk_size"));
    }

    /** Attention has no position embedding; {@code rope_theta} in published files is a leftover. */
    private static GqaSpec attention(JsonFields config) {
        return new GqaSpec(
                config.positive("num_attention_heads"),
                config.positive("num_key_value_heads"),
                config.positive("head_dim"),
                Optional.empty(),
                false,
                false);
    }

    private static MoeSpec moe(JsonFields config) {
        Routing routing = new Routing.SigmoidGroups(
                config.integer("n_group", 1),
                config.integer("topk_group", 1),
                config.flag("norm_topk_prob", true),
                config.number("routed_scaling_factor", 1));
        return new MoeSpec(
                config.positive("n_routed_experts"),
                config.positive("num_experts_per_tok"),
                config.positive("moe_intermediate_size"),
                config.integer("n_shared_experts", 0) * config.integer("moe_shared_expert_intermediate_size", 0),
                routing,
                Activation.SQUARED_RELU);
    }
}
