package layerwise.bench.forward;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Random;
import layerwise.tensor.DType;
import layerwise.tensor.Float4E2M1;
import layerwise.tensor.Float8E4M3;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import layerwise.tensor.safetensors.SafetensorsWriter;

/**
 * A small checkpoint with a dense and a routed layer, written twice: quantised, and with the same numbers dequantised.
 */
final class QuantizedCheckpoint {
    private static final int HIDDEN = 128;

    private final Arena arena;
    private final Random random = new Random(7);
    private final boolean nvfp4;
    private final LinkedHashMap<String, HostTensor> quantized = new LinkedHashMap<>();
    private final LinkedHashMap<String, HostTensor> plain = new LinkedHashMap<>();

    private QuantizedCheckpoint(Arena arena, boolean nvfp4) {
        this.arena = arena;
        this.nvfp4 = nvfp4;
    }

    /** Writes {@code folder/quantized} and {@code folder/plain}, and random inputs beside them. */
    static void write(Path folder, boolean nvfp4) {
        try (Arena arena = Arena.ofConfined()) {
            QuantizedCheckpoint checkpoint = new QuantizedCheckpoint(arena, nvfp4);
            checkpoint.layer(0, false);
            checkpoint.layer(1, true);
            checkpoint.gain("model.norm", HIDDEN);
            for (String name : new String[] {"quantized", "plain"}) {
                Path target = Files.createDirectories(folder.resolve(name));
                Files.writeString(target.resolve("config.json"), config(name.equals("quantized") && !nvfp4));
                if (name.equals("quantized") && nvfp4) {
                    Files.writeString(target.resolve("hf_quant_config.json"), HF_QUANT);
                }
                SafetensorsWriter.write(
                        target.resolve("model.safetensors"),
                        name.equals("plain") ? checkpoint.plain : checkpoint.quantized,
                        new LinkedHashMap<>());
            }
            LinkedHashMap<String, HostTensor> inputs = new LinkedHashMap<>();
            inputs.put("ctx.layers.0.input", checkpoint.random(DType.F32, 1, 2, 5, HIDDEN));
            inputs.put("gen2.layers.0.input", checkpoint.random(DType.F32, 1, 2, 2, HIDDEN));
            SafetensorsWriter.write(folder.resolve("io.safetensors"), inputs, new LinkedHashMap<>());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final String HF_QUANT = """
            {"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "group_size": 16,
              "exclude_modules": ["lm_head", "model.layers.*.self_attn.q_a_proj", "model.layers.1.self_attn.q_b_proj",
                "model.layers.*.self_attn.kv_a_proj_with_mqa"]}}
            """;

    private static String config(boolean fp8) {
        return """
        {"model_type": "deepseek_v3", "dtype": "float32", "hidden_size": 128, "num_hidden_layers": 2,
         "first_k_dense_replace": 1, "intermediate_size": 256, "num_attention_heads": 2, "q_lora_rank": 128,
         "kv_lora_rank": 128, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32, "v_head_dim": 64,
         "n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2, "moe_intermediate_size": 128,
         "n_group": 2, "topk_group": 1, "norm_topk_prob": true, "routed_scaling_factor": 2.5, "rms_norm_eps": 1e-6,
         "rope_theta": 10000%s}
        """.formatted(
                fp8 ? ", \"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]}" : "");
    }

    private void layer(int index, boolean routed) {
        String prefix = "model.layers." + index + ".";
        gain(prefix + "input_layernorm", HIDDEN);
        gain(prefix + "post_attention_layernorm", HIDDEN);
        String attention = prefix + "self_attn.";
        gain(attention + "q_a_layernorm", 128);
        gain(attention + "kv_a_layernorm", 128);
        matrix(attention + "q_a_proj", 128, HIDDEN, !nvfp4);
        matrix(attention + "kv_a_proj_with_mqa", 160, HIDDEN, !nvfp4);
        matrix(attention + "q_b_proj", 192, 128, !(nvfp4 && index == 1));
        matrix(attention + "kv_b_proj", 256, 128, true);
        matrix(attention + "o_proj", HIDDEN, 128, true);
        String mlp = prefix + "mlp.";
        if (!routed) {
            gated(mlp, 256);
            return;
        }
        matrix(mlp + "gate", 4, HIDDEN, false);
        HostTensor bias = random(DType.F32, 0.1f, 4);
        quantized.put(mlp + "gate.e_score_correction_bias", bias);
        plain.put(mlp + "gate.e_score_correction_bias", bias);
        for (int e = 0; e < 4; e++) {
            gated(mlp + "experts." + e + ".", 128);
        }
        gated(mlp + "shared_experts.", 128);
    }

    private void gated(String prefix, int intermediate) {
        matrix(prefix + "gate_proj", intermediate, HIDDEN, true);
        matrix(prefix + "up_proj", intermediate, HIDDEN, true);
        matrix(prefix + "down_proj", HIDDEN, intermediate, true);
    }

    private void gain(String name, int n) {
        HostTensor gain = random(DType.BF16, 1, n);
        quantized.put(name + ".weight", gain);
        plain.put(name + ".weight", gain);
    }

    private void matrix(String module, int n, int k, boolean quantise) {
        if (!quantise) {
            HostTensor weight = random(DType.BF16, 0.1f, n, k);
            quantized.put(module + ".weight", weight);
            plain.put(module + ".weight", weight);
        } else if (nvfp4) {
            nvfp4(module, n, k);
        } else {
            fp8(module, n, k);
        }
    }

    private void fp8(String module, int n, int k) {
        HostTensor elements = random(DType.E4M3, Float8E4M3.MAX, n, k);
        HostTensor scales = random(DType.F32, 1e-3f, Math.ceilDiv(n, 128), Math.ceilDiv(k, 128));
        HostTensor weight = HostTensor.allocate(arena, DType.F32, n, k);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < k; j++) {
                weight.set(elements.get(i, j) * scales.get(i / 128, j / 128), i, j);
            }
        }
        quantized.put(module + ".weight", elements);
        quantized.put(module + ".weight_scale_inv", scales);
        plain.put(module + ".weight", weight);
    }

    private void nvfp4(String module, int n, int k) {
        HostTensor elements = random(DType.E2M1, Float4E2M1.MAX, n, k);
        HostTensor blocks = random(DType.E4M3, 4, n, k / 16);
        HostTensor global = random(DType.F32, 1e-2f, 1).reshape();
        HostTensor weight = HostTensor.allocate(arena, DType.F32, n, k);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < k; j++) {
                weight.set(elements.get(i, j) * blocks.get(i, j / 16) * global.get(), i, j);
            }
        }
        quantized.put(module + ".weight", elements.reinterpret(DType.I8, n, k / 2));
        quantized.put(module + ".weight_scale", blocks);
        quantized.put(module + ".weight_scale_2", global);
        plain.put(module + ".weight", weight);
    }

    private HostTensor random(DType dtype, float scale, long... dims) {
        Shape shape = Shape.of(dims);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (2 * random.nextFloat() - 1) * scale;
        }
        return HostTensor.copyOf(arena, dtype, shape, values);
    }
}
