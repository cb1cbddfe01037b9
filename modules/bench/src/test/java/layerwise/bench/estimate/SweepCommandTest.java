package layerwise.bench.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepCommandTest {
    @TempDir
    Path folder;

    private String errors = "";

    private String sweep(String... arguments) {
        List<String> all = new ArrayList<>(List.of("config_gen.yaml"));
        all.addAll(Arrays.asList(arguments));
        all.addAll(List.of("--out", folder.resolve("s").toString()));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        SweepCommand.run(
                all,
                Map.of(),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        errors = err.toString(StandardCharsets.UTF_8);
        return out.toString(StandardCharsets.UTF_8);
    }

    private List<String[]> rows() throws IOException {
        return Files.readAllLines(folder.resolve("s.csv")).stream()
                .skip(1)
                .map(line -> line.split(",", -1))
                .toList();
    }

    @Test
    void fiveHundredPointsTakeSeconds() throws IOException {
        assertTimeout(
                Duration.ofSeconds(60),
                () -> sweep(
                        "--gpu",
                        "h100-sxm,h200-sxm,b200,gb200",
                        "--np",
                        "1,8,16,64,256",
                        "--attention",
                        "DP",
                        "--batch-size",
                        "1,8,32,128,256",
                        "--seq-len-kv-cache",
                        "1024,4096,8193,16384,32768"));
        assertEquals(4 * 5 * 5 * 5, rows().size());
    }

    @Test
    void throughputAndLatencyFollowFromTheSlowestStep() throws IOException {
        sweep("--batch-size", "4,64", "--np", "8");
        for (String[] row : rows()) {
            double step = Double.parseDouble(row[11]);
            double latency = Double.parseDouble(row[14]);
            assertEquals(61 * step / 1e3, latency, 0.01, "61 layers like layer 5");
            assertEquals(Double.parseDouble(row[8]) / latency * 1e3, Double.parseDouble(row[15]), 0.5);
        }
    }

    @Test
    void noPointOfTheFrontIsBeaten() throws IOException {
        sweep("--gpu", "h100-sxm,gb200", "--np", "1,16", "--batch-size", "1,16,64,128");
        List<String[]> front =
                rows().stream().filter(row -> row[18].equals("yes")).toList();
        assertFalse(front.isEmpty());
        for (String[] best : front) {
            assertTrue(
                    rows().stream()
                            .noneMatch(row -> row[17].equals("yes")
                                    && Double.parseDouble(row[14]) < Double.parseDouble(best[14])
                                    && Double.parseDouble(row[15]) > Double.parseDouble(best[15])),
                    String.join(",", best));
        }
        String html = Files.readString(folder.resolve("s.html"));
        assertTrue(html.contains("<svg viewBox") && html.contains("class=\"front\""));
        assertFalse(html.contains("http"), "the page fetches nothing");
        assertEquals(
                rows().size(),
                html.lines().filter(line -> line.startsWith("<tr")).count(),
                "a line each");
    }

    @Test
    void combinationsThatCannotBeAreNamedAndLeftOut() throws IOException {
        sweep("--np", "8,48", "--batch-size", "4");
        assertEquals(1, rows().size());
        assertTrue(errors.startsWith("left out: h100-sxm, 48 ranks"), errors);
        assertTrue(Files.readString(folder.resolve("s.html")).contains("256 experts do not divide over 48 ranks"));
        ConfigException none = assertThrows(ConfigException.class, () -> sweep("--np", "48"));
        assertEquals(1, none.getMessage().lines().count());
        ConfigException unknown = assertThrows(ConfigException.class, () -> sweep("--gpu", "b2000"));
        assertTrue(unknown.getMessage().startsWith("--gpu: no GPU 'b2000'"), unknown.getMessage());
    }

    @Test
    void measurementsStandBesideTheirEstimates() throws IOException {
        Path report = folder.resolve("measured.json");
        Files.writeString(report, """
                [{"name": "b=128 s=1 past=8193 NP1", "gpus": ["NVIDIA H100 80GB HBM3"], "total": 3073000,
                  "run_args": {"model": "nvidia/DeepSeek-R1-0528-FP4-v2", "layer_indices": [5], "run_type": "GEN",
                               "moe_backend": "CUTLASS", "enable_attention_dp": true},
                  "timeline": [{"launch": 0, "operator": "Add", "shape": "1x1", "format": "f32", "flops": 1, "bytes": 6,
                                "link_bytes": 0, "duration": 10, "end": 10, "stream": 7}]}]
                """);
        sweep("--gpu", "h100-sxm,h200-sxm", "--batch-size", "64,128", "--measured", report.toString());
        List<String[]> measured =
                rows().stream().filter(row -> !row[12].isEmpty()).toList();
        assertEquals(1, measured.size());
        assertEquals("h100-sxm", measured.getFirst()[3]);
        assertEquals("3073.0", measured.getFirst()[12]);
        assertEquals(61 * 3.073, Double.parseDouble(measured.getFirst()[14]), 0.01, "what was measured counts");
    }
}
