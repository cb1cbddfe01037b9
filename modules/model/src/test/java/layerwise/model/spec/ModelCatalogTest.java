package layerwise.model.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import layerwise.op.Routing;
import layerwise.op.ScaleFormat;
import layerwise.op.WeightFormat;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelCatalogTest {
    static final ModelCatalog SHIPPED =
            new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models"));

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nvidia/DeepSeek-R1-0528-FP4-v2",
                "deepseek-ai/DeepSeek-R1-0528",
                "deepseek-ai/DeepSeek-R1-0528-BF16",
                "deepseek-ai/DeepSeek-V3.2-Exp"
            })
    void shipsDeepSeekR1(String name) {
        ModelSpec model = SHIPPED.find(name);
        assertEquals(7168, model.hidden());
        assertEquals(61, model.layers().size());
        assertEquals(
                Optional.of(new DenseSpec(18432, Activation.SWIGLU)),
                model.layer(2).feedForward());
        assertEquals(
                Optional.of(
                        new MoeSpec(256, 8, 2048, 2048, new Routing.SigmoidGroups(8, 4, true, 2.5), Activation.SWIGLU)),
                model.layer(3).feedForward());
        assertEquals(DType.BF16, model.dtype());
    }

    @Test
    void shipsNemotron3Nano() {
        ModelSpec model = SHIPPED.find("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16");
        assertEquals(2688, model.hidden());
        assertEquals(52, model.layers().size());
        assertEquals(
                List.of(5, 12, 19, 26, 33, 42),
                IntStream.range(0, 52)
                        .filter(i -> model.layer(i).mixer().orElse(null) instanceof GqaSpec)
                        .boxed()
                        .toList());
        assertEquals(LayerSpec.of(new Mamba2Spec(64, 64, 8, 128, 4, true, 128)), model.layer(4));
        assertEquals(10304, 4096 + new Mamba2Spec(64, 64, 8, 128, 4, true, 128).channels() + 64);
        assertEquals(LayerSpec.of(new GqaSpec(32, 2, 128, Optional.empty(), false, false)), model.layer(5));
        assertEquals(
                LayerSpec.of(new MoeSpec(
                        128, 6, 1856, 3712, new Routing.SigmoidGroups(1, 1, true, 2.5), Activation.SQUARED_RELU)),
                model.layer(6));
    }

    @Test
    void shipsQwen3Next() {
        ModelSpec model = SHIPPED.find("Qwen/Qwen3-Next-80B-A3B-Instruct");
        assertEquals(2048, model.hidden());
        assertEquals(48, model.layers().size());
        MoeSpec moe = new MoeSpec(512, 10, 512, 512, new Routing.Softmax(true), Activation.SWIGLU);
        assertEquals(LayerSpec.of(new DeltaNetSpec(16, 32, 128, 128, 4), moe), model.layer(6));
        Rotation rotation = new Rotation(new RopeSpec(1e7, Optional.empty()), 64);
        assertEquals(LayerSpec.of(new GqaSpec(16, 2, 256, Optional.of(rotation), true, true), moe), model.layer(7));
        assertEquals(8192, new DeltaNetSpec(16, 32, 128, 128, 4).channels());
        assertEquals(
                12,
                model.layers().stream()
                        .filter(layer -> layer.mixer().orElseThrow() instanceof GqaSpec)
                        .count());
    }

    private static final String NEMOTRON = """
            {"model_type": "nemotron_h", "hidden_size": 64, "num_hidden_layers": 4, "hybrid_override_pattern": "M*E-",
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "mamba_num_heads": 4,
             "mamba_head_dim": 8, "ssm_state_size": 16, "n_groups": 2, "conv_kernel": 4, "chunk_size": 8,
             "intermediate_size": 48, "mlp_hidden_act": "relu2", "n_routed_experts": 8, "num_experts_per_tok": 2,
             "moe_intermediate_size": 24, "n_shared_experts": 1, "moe_shared_expert_intermediate_size": 40,
             "time_step_limit": [0.0, Infinity]}
            """;

    @Test
    void layersOfNemotronAreReadFromThePatternOrFromWords() throws IOException {
        ModelSpec pattern = read(NEMOTRON);
        ModelSpec words = read(NEMOTRON.replace(
                        "\"hybrid_override_pattern\": \"M*E-\"",
                        "\"layers_block_type\": [\"linear_attention\", \"full_attention\", \"moe\", \"mlp\"]")
                .replace("Infinity", "{\"__float__\": \"Infinity\"}")
                .replace("\"num_hidden_layers\": 4, ", ""));
        assertEquals(pattern, words);
        assertEquals(LayerSpec.of(new DenseSpec(48, Activation.SQUARED_RELU)), pattern.layer(3));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "M*E-|M*EX|layer 3 is 'X': expected M, *, E or -",
                "M*E-|M*E|num_hidden_layers: 4, but the pattern has 3 layers",
                "\"relu2\"|\"silu\"|mlp_hidden_act: 'silu' is not supported, expected one of relu2",
                "[0.0, Infinity]|[0.0, 0.1]|time_step_limit: expected [0.0, Infinity], got [0.0,0.1]",
                "\"n_groups\": 2|\"n_groups\": 3|n_groups: expected a divisor of mamba_num_heads 4, got 3",
                "\"hidden_size\": 64|\"hidden_size\": 64, \"moe_latent_size\": 32|moe_latent_size",
                "\"hidden_size\": 64|\"hidden_size\": 64, \"use_bias\": true|use_bias: expected false, got true",
                "\"num_key_value_heads\": 2|\"num_key_value_heads\": 3|num_attention_heads: 4 heads of 16",
            })
    void whatNemotronCannotBeIsRefusedByKey(String part, String replacement, String message) {
        ConfigException e = assertThrows(ConfigException.class, () -> read(NEMOTRON.replace(part, replacement)));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(1, e.getMessage().lines().count());
    }

    private static final String QWEN = """
            {"model_type": "qwen3_next", "hidden_size": 64, "num_hidden_layers": 4, "rms_norm_eps": 1e-6,
             "full_attention_interval": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
             "partial_rotary_factor": 0.25, "rope_theta": 10000000, "linear_num_key_heads": 2,
             "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8,
             "linear_conv_kernel_dim": 4, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 24,
             "shared_expert_intermediate_size": 24, "intermediate_size": 96, "mlp_only_layers": [1]}
            """;

    @Test
    void layersOfQwenAreReadFromTheIntervalOrFromWords() throws IOException {
        ModelSpec interval = read(QWEN);
        ModelSpec words = read(
                QWEN.replace(
                                "\"full_attention_interval\": 2",
                                "\"layer_types\": [\"linear_attention\", \"full_attention\", \"linear_attention\", \"full_attention\"]")
                        .replace(
                                "\"partial_rotary_factor\": 0.25, \"rope_theta\": 10000000",
                                "\"rope_parameters\": {\"partial_rotary_factor\": 0.25, \"rope_theta\": 1e7, \"rope_type\": \"default\"}"));
        assertEquals(interval, words);
        assertEquals(
                Optional.of(new DenseSpec(96, Activation.SWIGLU)),
                interval.layer(1).feedForward());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"full_attention_interval\": 2|\"layer_types\": [\"full_attention\"]|layer_types: 1 entries, but num_hidden_layers is 4",
                "\"full_attention_interval\": 2|\"layer_types\": [\"sliding\"]|layer_types: 'sliding' is not supported",
                "\"linear_num_value_heads\": 4|\"linear_num_value_heads\": 3|linear_num_value_heads: expected a multiple",
                "0.25|0.2|partial_rotary_factor: 3 of 16 elements rotate",
                "1e-6|NaN|rms_norm_eps: expected a number",
            })
    void whatQwenCannotBeIsRefusedByKey(String part, String replacement, String message) {
        ConfigException e = assertThrows(ConfigException.class, () -> read(QWEN.replace(part, replacement)));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(1, e.getMessage().lines().count());
    }

    @Test
    void fp4CheckpointLeavesAttentionsInputsInBfloat16() {
        Quantization quantization =
                SHIPPED.find("nvidia/DeepSeek-R1-0528-FP4-v2").quantization();
        assertEquals(Optional.of(DType.E4M3), quantization.kvCache());
        for (String plain : new String[] {"q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj"}) {
            assertEquals(Optional.empty(), quantization.format("model.layers.17.self_attn." + plain));
        }
        assertEquals(Optional.of(WeightFormat.NVFP4), quantization.format("model.layers.17.self_attn.o_proj"));
        assertEquals(Optional.of(WeightFormat.NVFP4), quantization.format("model.layers.6.mlp.experts.3.up_proj"));
        assertEquals(Optional.empty(), quantization.format("model.layers.61.mlp.experts.3.up_proj"));
        assertEquals(Optional.empty(), quantization.format("lm_head"));
    }

    @Test
    void fp8CheckpointIsBlockScaled() {
        Quantization quantization = SHIPPED.find("deepseek-ai/DeepSeek-R1-0528").quantization();
        assertEquals(Optional.of(WeightFormat.FP8_BLOCK), quantization.format("model.layers.17.self_attn.kv_b_proj"));
        assertEquals(Optional.empty(), quantization.kvCache());
        assertEquals(ScaleFormat.FLOAT32, quantization.activations());
    }

    @Test
    void checkpointsMayAskForPowerOfTwoScales() {
        assertEquals(
                ScaleFormat.UE8M0,
                SHIPPED.find("deepseek-ai/DeepSeek-V3.2-Exp").quantization().activations());
    }

    @Test
    void unknownScaleFormatIsRefusedByKey() {
        ConfigException e =
                assertThrows(ConfigException.class, () -> read(NEMOTRON.replace("\"hidden_size\": 64", """
                        "hidden_size": 64, "quantization_config":
                        {"quant_method": "fp8", "weight_block_size": [128, 128], "scale_fmt": "ue8m1"}""")));
        assertTrue(
                e.getMessage().endsWith("scale_fmt: 'ue8m1' is not supported, expected one of ue8m0; nearest: ue8m0"),
                e.getMessage());
    }

    @Test
    void unknownNameGetsTheNearest() {
        ConfigException e = assertThrows(ConfigException.class, () -> SHIPPED.find("nvidia/DeepSeek-R1-0528-FP4-v3"));
        assertTrue(e.getMessage().contains("nearest: nvidia/DeepSeek-R1-0528-FP4-v2"), e.getMessage());
    }

    @Test
    void everyLayerOfDeepSeekV32HasAnIndexer() {
        ModelSpec model = SHIPPED.find("deepseek-ai/DeepSeek-V3.2-Exp");
        MlaSpec dense = (MlaSpec)
                SHIPPED.find("deepseek-ai/DeepSeek-R1-0528").layer(5).mixer().orElseThrow();
        assertEquals(Optional.empty(), dense.indexer());
        for (int layer = 0; layer < model.layers().size(); layer++) {
            MlaSpec mla = (MlaSpec) model.layer(layer).mixer().orElseThrow();
            assertEquals(Optional.of(new IndexerSpec(64, 128, 2048)), mla.indexer());
            assertEquals(dense.softmaxScale(), mla.softmaxScale());
        }
        assertEquals(
                Optional.of(WeightFormat.FP8_BLOCK),
                model.quantization().format("model.layers.5.self_attn.indexer.wk"));
    }

    @Test
    void layerOutOfRangeNamesTheRange() {
        ConfigException e = assertThrows(
                ConfigException.class, () -> SHIPPED.find("tiny-deepseek").layer(12));
        assertTrue(e.getMessage().contains("expected 0 to 11"), e.getMessage());
    }

    private static final String PUBLISHED = """
            {"model_type": "deepseek_v3", "torch_dtype": "bfloat16", "hidden_size": 64, "num_hidden_layers": 2,
             "first_k_dense_replace": 1, "intermediate_size": 96, "num_attention_heads": 2, "q_lora_rank": 32,
             "kv_lora_rank": 16, "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 8,
             "n_routed_experts": 8, "n_shared_experts": 1, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
             "n_group": 2, "topk_group": 1, "rms_norm_eps": 1e-6, "rope_theta": 50000,
             "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096,
               "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0}}
            """;

    private ModelSpec read(String config) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        return new ModelCatalog(folder).find(folder.toString());
    }

    @Test
    void transformers5WritesTheSameModelDifferently() throws IOException {
        ModelSpec published = read(PUBLISHED);
        ModelSpec saved = read(PUBLISHED
                .replace("\"torch_dtype\"", "\"dtype\"")
                .replace("\"rope_theta\": 50000,", "")
                .replace("\"rope_scaling\": {\"type\"", "\"rope_parameters\": {\"rope_theta\": 50000, \"rope_type\""));
        assertEquals(published, saved);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"hidden_size\": 64|\"hidden_size\": \"64\"|hidden_size: expected an integer, got \"64\"",
                "\"q_lora_rank\": 32|\"q_lora_rank\": null|key 'q_lora_rank' is missing",
                "\"deepseek_v3\"|\"deepseek_v4\"|nearest: deepseek_v3",
                "\"deepseek_v3\"|\"deepseek_v32\"|key 'index_n_heads' is missing",
                "\"n_group\": 2|\"n_group\": 3|n_group",
                "\"yarn\"|\"yarm\"|nearest: yarn",
                "\"qk_rope_head_dim\": 4|\"qk_rope_head_dim\": 5|qk_rope_head_dim: 5 is odd",
                "\"hidden_size\": 64,|\"hidden_size\" 64,|malformed JSON",
                "\"rms_norm_eps\": 1e-6|\"rms_norm_eps\": true|rms_norm_eps: expected a number, got true",
            })
    void errorsNameFileKeyAndValue(String part, String replacement, String message) {
        ConfigException e = assertThrows(ConfigException.class, () -> read(PUBLISHED.replace(part, replacement)));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(1, e.getMessage().lines().count());
    }

    @Test
    void aFolderWithoutConfigSaysSo() {
        ConfigException e = assertThrows(ConfigException.class, () -> new ModelCatalog(folder).find(folder.toString()));
        assertTrue(e.getMessage().contains("config.json"), e.getMessage());
    }
}
