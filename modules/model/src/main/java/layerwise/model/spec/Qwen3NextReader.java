package layerwise.model.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.op.Routing;
import layerwise.tensor.ConfigException;

/** {@code model_type: qwen3_next}, as published and as transformers 5 writes it. */
final class Qwen3NextReader {
    private Qwen3NextReader() {}

    static ModelSpec read(String name, JsonFields config, Quantization quantization) {
        config.requireUnset("attention_bias");
        if (config.has("hidden_act")) {
            config.choice("hidden_act", List.of("silu"));
        }
        int headDim = config.positive("head_dim");
        GqaSpec attention = new GqaSpec(
                config.positive("num_attention_heads"),
                config.positive("num_key_value_heads"),
                headDim,
                Optional.of(new Rotation(RopeReader.read(config), (int) (headDim * partialRotary(config)))),
                true,
                true);
        DeltaNetSpec linear = new DeltaNetSpec(
                config.positive("linear_num_key_heads"),
                config.positive("linear_num_value_heads"),
                config.positive("linear_key_head_dim"),
                config.positive("linear_value_head_dim"),
                config.positive("linear_conv_kernel_dim"));
        MoeSpec moe = new MoeSpec(
                config.positive("num_experts"),
                config.positive("num_experts_per_tok"),
                config.positive("moe_intermediate_size"),
                config.integer("shared_expert_intermediate_size", 0),
                new Routing.Softmax(config.flag("norm_topk_prob", true)),
                Activation.SWIGLU);
        List<Integer> dense = config.integersOrNone("mlp_only_layers");
        int sparseStep = config.integer("decoder_sparse_step", 1);
        List<LayerSpec> layers = new ArrayList<>();
        for (String kind : kinds(config)) {
            MixerSpec mixer = kind.equals("full_attention") ? attention : linear;
            boolean routed = !dense.contains(layers.size()) && (layers.size() + 1) % sparseStep == 0;
            layers.add(LayerSpec.of(
                    mixer, routed ? moe : new DenseSpec(config.positive("intermediate_size"), Activation.SWIGLU)));
        }
        return new ModelSpec(
                name,
                Family.QWEN3_NEXT,
                config.positive("hidden_size"),
                config.number("rms_norm_eps"),
                layers,
                config.modelDtype(),
                quantization);
    }

    private static double partialRotary(JsonFields config) {
        return config.object("rope_parameters")
                .filter(rope -> rope.has("partial_rotary_factor"))
                .orElse(config)
                .number("partial_rotary_factor", 0.25);
    }

    /** Kinds of the layers: listed, or every so many one of full attention. */
    private static List<String> kinds(JsonFields config) {
        int layers = config.positive("num_hidden_layers");
        List<String> listed = config.texts("layer_types");
        if (listed.isEmpty()) {
            int interval = config.integer("full_attention_interval", 4);
            List<String> kinds = new ArrayList<>();
            for (int i = 1; i <= layers; i++) {
                kinds.add(i % interval == 0 ? "full_attention" : "linear_attention");
            }
            return kinds;
        }
        for (String kind : listed) {
            if (!kind.equals("full_attention") && !kind.equals("linear_attention")) {
                throw new ConfigException(
                        "%s: layer_types: '%s' is not supported, expected linear_attention or full_attention"
                                .formatted(config.file(), kind));
            }
        }
        if (listed.size() != layers) {
            throw new ConfigException("%s: layer_types: %d entries, but num_hidden_layers is %d"
                    .formatted(config.file(), listed.size(), layers));
        }
        return listed;
    }
}
