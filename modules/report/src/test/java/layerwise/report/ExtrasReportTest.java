package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Frames and sampled metrics in reports. */
class ExtrasReportTest {
    @TempDir
    Path folder;

    private String text;

    @BeforeEach
    void report() {
        Path trace = folder.resolve("extras.sqlite");
        ExtrasTrace.record(trace);
        ProgramRun run = ProgramRun.of("report", "--file-path", trace.toString());
        assertEquals(0, run.status(), run.err());
        text = run.out();
    }

    private JsonNode problem() throws IOException {
        return JsonMapper.builder()
                .build()
                .readTree(Files.readString(folder.resolve("extras.json")))
                .get(0);
    }

    @Test
    void textTellsAmountsOfMeasuredRunsOnlyAndWhetherTheGpuWasThrottled() {
        assertTrue(text.lines().anyMatch(line -> line.matches("SM Clock \\[MHz] +3 +4 +1755 +1924\\.0 +1981")), text);
        assertTrue(text.contains("GPU 3: throttled in 1 of 4 samples (software power cap: 1)"), text);
        assertTrue(text.contains("Not sampled: SM, tensor and DRAM activity: only for administrators"), text);
        assertFalse(text.contains("DRAM Read"), "a metric without a sample has no row");
    }

    @Test
    void textTellsWhoLaunchedWhichRows() {
        assertTrue(text.contains("""
                Launched from [0]
                    engine.Layer.launch (Layer.java:3)
                    engine.Layer.attention (Layer.java:40)
                  "b=8 s=1 past=100 NP1": MLA > gemm, MLA > reduce
                """), text);
        assertTrue(text.contains("""
                Launched from [1]
                    engine.Layer.launch (Layer.java:3)
                    engine.Layer.norm (Layer.java:77)
                    engine.Layer.main (Layer.java:9)
                  "b=8 s=1 past=100 NP1": norm
                """), text);
    }

    @Test
    void jsonHoldsBoth() throws IOException {
        JsonNode problem = problem();
        JsonNode clock = problem.get("gpu_metrics").get(0);
        assertEquals("SM Clock [MHz]", clock.get("name").textValue());
        assertEquals(1755, clock.get("min").doubleValue());
        assertEquals(1924, clock.get("mean").doubleValue());
        assertEquals(1, problem.get("clock_events").get(0).get("throttled").intValue());
        assertEquals(
                List.of(0, 0, 1),
                problem.get("timeline").findValues("backtrace").stream()
                        .map(JsonNode::intValue)
                        .toList());
        assertEquals(
                "engine.Layer.norm (Layer.java:77)",
                problem.get("backtraces").get(1).get(1).textValue());
    }

    @Test
    void thePageTellsBothWithoutItsScript() throws IOException {
        String page = Files.readString(folder.resolve("extras.html"));
        assertTrue(page.contains("<td>1924.0</td>"));
        assertTrue(page.contains("throttled in 1 of 4 samples"));
        assertTrue(page.contains("engine.Layer.attention (Layer.java:40)"));
    }
}
