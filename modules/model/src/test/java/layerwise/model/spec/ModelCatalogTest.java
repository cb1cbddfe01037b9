package layerwise.model.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import layerwise.op.Routing;
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
        assertEquals(new DenseSpec(18432), model.layer(2).feedForward());
        assertEquals(
                new MoeSpec(256, 8, 2048, 2048, new Routing.SigmoidGroups(8, 4, true, 2.5)),
                model.layer(3).feedForward());
        assertTrue(model.isLast(60));
        assertEquals(DType.BF16, model.dtype());
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
    }

    @Test
    void unknownNameGetsTheNearest() {
        ConfigException e = assertThrows(ConfigException.class, () -> SHIPPED.find("nvidia/DeepSeek-R1-0528-FP4-v3"));
        assertTrue(e.getMessage().contains("nearest: nvidia/DeepSeek-R1-0528-FP4-v2"), e.getMessage());
    }

    @Test
    void everyLayerOfDeepSeekV32HasAnIndexer() {
        ModelSpec model = SHIPPED.find("deepseek-ai/DeepSeek-V3.2-Exp");
        MlaSpec dense =
                (MlaSpec) SHIPPED.find("deepseek-ai/DeepSeek-R1-0528").layer(5).mixer();
        assertEquals(Optional.empty(), dense.indexer());
        for (int layer = 0; layer < model.layers().size(); layer++) {
            MlaSpec mla = (MlaSpec) model.layer(layer).mixer();
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
