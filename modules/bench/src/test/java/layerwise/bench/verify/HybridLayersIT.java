package layerwise.bench.verify;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.device.Devices;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Convolutions, recurrences, norms and gates of hybrid models on a GPU, against the reference executor. */
@Tag("gpu")
class HybridLayersIT {
    @BeforeAll
    static void needsGpu() {
        assumeTrue(
                Devices.resolve(DeviceChoice.parse("--device", "auto")) instanceof DeviceChoice.Cuda,
                "no GPU answers here");
    }

    /** Layers without attention: states of every type, chunk lengths and one more, several tokens a step, odd batches. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "config_ctx.yaml --model tiny-nemotron --layer-indices 4 --seq-len-q 1,2,31,32,33,65",
                "config_ctx.yaml --model tiny-nemotron --layer-indices 6 --seq-len-q 1,17",
                "config_ctx.yaml --model tiny-nemotron --layer-indices 4 --seq-len-q 3,70 --seq-len-kv-cache 5 --batch-size 3",
                "config_gen.yaml --model tiny-nemotron --layer-indices 4 --seq-len-kv-cache 9 --batch-size 1,3,17 --seq-len-q 1,2,4",
                "config_gen.yaml --model tiny-nemotron --layer-indices 4 --seq-len-kv-cache 9 --batch-size 3 --mamba-ssm-cache-dtype float16",
                "config_gen.yaml --model tiny-nemotron --layer-indices 4 --seq-len-kv-cache 9 --batch-size 3 --mamba-ssm-cache-dtype float32",
                "config_gen.yaml --model tiny-nemotron --layer-indices 12 --seq-len-kv-cache 9 --batch-size 1,3",
                "config_ctx.yaml --model tiny-qwen3-next --layer-indices 6 --seq-len-q 1,2,63,64,65",
                "config_gen.yaml --model tiny-qwen3-next --layer-indices 6 --seq-len-kv-cache 9 --batch-size 1,3,17 --seq-len-q 1,4",
                "config_gen.yaml --model tiny-qwen3-next --layer-indices 6 --seq-len-kv-cache 9 --batch-size 3 --mamba-ssm-cache-dtype float16",
                "config_gen.yaml --model tiny-qwen3-next --layer-indices 6 --seq-len-kv-cache 9 --batch-size 3 --mamba-ssm-cache-dtype float32",
                "config_gen.yaml --model nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 --layer-indices 4 --seq-len-kv-cache 9 --batch-size 3 --mamba-ssm-cache-dtype float16",
                "config_ctx.yaml --model nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 --layer-indices 4 --seq-len-q 1,127,128,129,255,256,257,383,384,385",
                "config_ctx.yaml --model nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 --layer-indices 4 --seq-len-q 129 --seq-len-kv-cache 7 --batch-size 3 --mamba-ssm-cache-dtype float32",
                "config_gen.yaml --model Qwen/Qwen3-Next-80B-A3B-Instruct --layer-indices 6 --seq-len-kv-cache 9 --batch-size 3 --mamba-ssm-cache-dtype float16",
                "config_gen.yaml --model Qwen/Qwen3-Next-80B-A3B-Instruct --layer-indices 6 --seq-len-kv-cache 9 --batch-size 3 --mamba-ssm-cache-dtype float32",
                "config_ctx.yaml --model Qwen/Qwen3-Next-80B-A3B-Instruct --layer-indices 6 --seq-len-q 1,63,64,65,127,128,129,191,192,193",
                "config_ctx.yaml --model Qwen/Qwen3-Next-80B-A3B-Instruct --layer-indices 6 --seq-len-q 65 --seq-len-kv-cache 7 --batch-size 3 --mamba-ssm-cache-dtype bfloat16",
            })
    void everyOperatorMatchesTheReference(String line) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8)) {
            VerifyCommand.run(List.of((line + " --device cuda").split(" ")), Map.of(), out, out);
        }
        String table = text.toString(StandardCharsets.UTF_8);
        assertTrue(table.contains(" 0 wrong: OK"), table);
    }
}
