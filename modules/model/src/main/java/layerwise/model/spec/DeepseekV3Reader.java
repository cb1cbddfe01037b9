package layerwise.model.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.op.Routing;
import layerwise.tensor.DType;

/** {@code model_type: deepseek_v3} and {@code deepseek_v32}, which adds the indexer; as published and as transformers 5 writes it. */
final class DeepseekV3Reader {
    private DeepseekV3Reader() {}

    static ModelSpec read(String name, JsonFields config, Quantization quantization) {
        return read(name, config, quantization, Optional.empty());
    }

    /** Of a model whose attention is sparse. */
    static ModelSpec readSparse(String name, JsonFields config, Quantization quantization) {
        IndexerSpec indexer = new IndexerSpec(
                config.positive("index_n_heads"), config.positive("index_head_dim"), config.positive("index_topk"));
        return read(name, config, quantization, Optional.of(indexer));
    }

    private static ModelSpec read(
            String name, JsonFields config, Quantization quantization, Optional<IndexerSpec> indexer) {
        if (config.has("hidden_act")) {
            config.choice("hidden_act", List.of("silu"));
        }
        MlaSpec attention = new MlaSpec(
                config.positive("num_attention_heads"),
                config.positive("q_lora_rank"),
                config.positive("kv_lora_rank"),
                config.positive("qk_nope_head_dim"),
                config.positive("qk_rope_head_dim"),
                config.positive("v_head_dim"),
                rope(config),
                indexer);
        DenseSpec dense = new DenseSpec(config.positive("intermediate_size"));
        MoeSpec moe = moe(config);
        int denseLayers = config.integer("first_k_dense_replace", 0);
        int frequency = config.integer("moe_layer_freq", 1);
        List<LayerSpec> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            boolean routed = i >= denseLayers && i % frequency == 0;
            layers.add(new LayerSpec(attention, routed ? moe : dense));
        }
        return new ModelSpec(
                name,
                config.positive("hidden_size"),
                config.number("rms_norm_eps"),
                layers,
                dtype(config),
                quantization);
    }

    private static MoeSpec moe(JsonFields config) {
        if (config.has("scoring_func")) {
            config.choice("scoring_func", List.of("sigmoid"));
        }
        int intermediate = config.positive("moe_intermediate_size");
        Routing routing = new Routing.SigmoidGroups(
                config.positive("n_group"),
                config.positive("topk_group"),
                config.flag("norm_topk_prob", true),
                config.number("routed_scaling_factor", 1));
        return new MoeSpec(
                config.positive("n_routed_experts"),
                config.positive("num_experts_per_tok"),
                intermediate,
                intermediate * config.integer("n_shared_experts", 0),
                routing);
    }

    private static RopeSpec rope(JsonFields config) {
        Optional<JsonFields> scaling = config.object("rope_parameters").or(() -> config.object("rope_scaling"));
        double theta = scaling.filter(fields -> fields.has("rope_theta"))
                .map(fields -> fields.number("rope_theta"))
                .orElseGet(() -> config.number("rope_theta", 10000));
        return new RopeSpec(theta, scaling.flatMap(DeepseekV3Reader::yarn));
    }

    private static Optional<RopeSpec.Yarn> yarn(JsonFields fields) {
        String key = fields.has("rope_type") ? "rope_type" : "type";
        if (fields.choice(key, List.of("default", "yarn")).equals("default")) {
            return Optional.empty();
        }
        return Optional.of(new RopeSpec.Yarn(
                fields.number("factor"),
                fields.positive("original_max_position_embeddings"),
                fields.number("beta_fast", 32),
                fields.number("beta_slow", 1),
                fields.number("mscale", 1),
                fields.number("mscale_all_dim", 0)));
    }

    private static DType dtype(JsonFields config) {
        String key = config.has("dtype") ? "dtype" : "torch_dtype";
        if (!config.has(key)) {
            return DType.BF16;
        }
        return switch (config.choice(key, List.of("bfloat16", "float32"))) {
            case "float32" -> DType.F32;
            default -> DType.BF16;
        };
    }
}
