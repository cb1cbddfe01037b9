package layerwise.model.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import layerwise.op.Routing;

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
                RopeReader.read(config),
                indexer);
        DenseSpec dense = new DenseSpec(config.positive("intermediate_size"), Activation.SWIGLU);
        MoeSpec moe = moe(config);
        int denseLayers = config.integer("first_k_dense_replace", 0);
        int frequency = config.integer("moe_layer_freq", 1);
        List<LayerSpec> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            boolean routed = i >= denseLayers && i % frequency == 0;
            layers.add(LayerSpec.of(attention, routed ? moe : dense));
        }
        return new ModelSpec(
                name,
                Family.DEEPSEEK_V3,
                config.positive("hidden_size"),
                config.number("rms_norm_eps"),
                layers,
                config.modelDtype(),
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
                routing,
                Activation.SWIGLU);
    }
}
