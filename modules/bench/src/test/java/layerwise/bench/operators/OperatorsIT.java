package layerwise.bench.operators;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import layerwise.bench.config.DeviceChoice;
import layerwise.bench.device.Devices;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operators of every family timed on a GPU: no time below the limit by the device's own rates, since caches are cold. */
@Tag("gpu")
class OperatorsIT {
    @TempDir
    Path folder;

    @BeforeAll
    static void needsGpu() {
        assumeTrue(
                Devices.resolve(DeviceChoice.parse("--device", "auto")) instanceof DeviceChoice.Cuda,
                "no GPU answers here");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config_gen.yaml --batch-size 8 --seq-len-kv-cache 1000",
                "config_ctx.yaml --model deepseek-ai/DeepSeek-R1-0528 --seq-len-q 512",
                "config_gen.yaml --model deepseek-ai/DeepSeek-V3.2-Exp --tokens-per-block 64 --layer-indices 2 --batch-size 8",
                "config_gen.yaml --model nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 --layer-indices 4,5,6 --batch-size 8",
                "config_ctx.yaml --model Qwen/Qwen3-Next-80B-A3B-Instruct --layer-indices 6,7 --seq-len-q 512"
            })
    void coldOperatorsTakeNoLessThanTheirLimit(String line) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8)) {
            OperatorsCommand.run(
                    List.of((line + " --device cuda").split(" ")), Map.of("PROFILE_DIR", folder.toString()), out, out);
        }
        JsonNode rows = new ObjectMapper()
                .readTree(folder.resolve("operators_np1_rank0.json").toFile())
                .path("operators");
        assertTrue(rows.size() > 8, text.toString(StandardCharsets.UTF_8));
        for (JsonNode row : rows) {
            assertFalse(row.path("kernels").isEmpty(), row.toString());
            assertTrue(row.path("micros").size() >= OperatorTimer.LEAST_REPLAYS, row.toString());
            if (row.path("cache").asText().equals("cold")) {
                double sample = row.path("micros").get(0).asDouble();
                assertTrue(sample > row.path("limit_us").asDouble(), row.toString());
            }
        }
    }
}
