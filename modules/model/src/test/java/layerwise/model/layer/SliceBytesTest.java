package layerwise.model.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import layerwise.op.Batch;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What weights and caches of a slice take. */
class SliceBytesTest {
    @ParameterizedTest
    @CsvSource({
        "nvidia/DeepSeek-R1-0528-FP4-v2, 5, 6.576",
        "deepseek-ai/DeepSeek-R1-0528, 5, 11.512",
        "deepseek-ai/DeepSeek-R1-0528-BF16, 5, 23.015",
        "nvidia/DeepSeek-R1-0528-FP4-v2, 1, 0.428",
        "deepseek-ai/DeepSeek-R1-0528, 1, 0.584",
        "deepseek-ai/DeepSeek-R1-0528-BF16, 1, 1.167",
        "deepseek-ai/DeepSeek-V3.2-Exp, 5, 11.526",
    })
    void weightsTakeWhatTheCheckpointTakes(String model, int layer, double gigabytes) {
        SlicedModel sliced =
                SlicedModel.of(model, List.of(layer), Phase.GENERATION, Batch.uniform(1, 1, 1), DType.BF16);
        assertEquals(gigabytes, sliced.weights().bytes() / 1e9, 0.0006);
    }

    @ParameterizedTest
    @CsvSource({
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 4, 0.0775",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 5, 0.0468",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 6, 2.595",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 6, 3.297",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 7, 3.284",
    })
    void hybridWeightsTakeWhatTheCheckpointTakes(String model, int layer, double gigabytes) {
        SlicedModel sliced =
                SlicedModel.of(model, List.of(layer), Phase.GENERATION, Batch.uniform(1, 1, 1), DType.BF16);
        assertEquals(gigabytes, sliced.weights().bytes() / 1e9, 0.0006);
    }

    /** Published bytes of one sequence: states of 16 bits, last inputs of convolutions, and rows of 32 tokens. */
    @ParameterizedTest
    @CsvSource({
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 4, 1085440",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 5, 32768",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 6, 0",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 6, 1097728",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 7, 65536",
    })
    void cachesTakeTheirPublishedBytes(String model, int layer, long bytes) {
        SlicedModel sliced =
                SlicedModel.of(model, List.of(layer), Phase.GENERATION, Batch.uniform(1, 1, 31), DType.BF16);
        assertEquals(bytes, sliced.slice().cacheBytes());
    }

    @Test
    void aTokenOfDeepSeekV32Takes132BytesOfIndexKeysAnd656OfLatents() {
        Batch batch = Batch.uniform(1, 1, 63);
        assertEquals(
                64 * (132 + 1152),
                SlicedModel.of("deepseek-ai/DeepSeek-V3.2-Exp", List.of(5), Phase.GENERATION, batch, DType.BF16)
                        .slice()
                        .cacheBytes());
        assertEquals(
                64 * (132 + 656),
                SlicedModel.of("deepseek-ai/DeepSeek-V3.2-Exp", List.of(5), Phase.GENERATION, batch, DType.E4M3)
                        .slice()
                        .cacheBytes());
    }
}
