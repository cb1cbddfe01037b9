package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table of {@code .ci/gpu/moe_block} from reports of recorded traces. */
class MoeBlockTest {
    private static final Path SCRIPT = Path.of(System.getProperty("layerwise.home"), ".ci", "gpu", "moe_block");

    @TempDir
    Path folder;

    @Test
    void saysHowNearTheRangeComesToItsKernelsLimits() throws IOException, InterruptedException {
        boolean installed =
                Stream.of(System.getenv("PATH").split(":")).anyMatch(place -> Files.isExecutable(Path.of(place, "jq")));
        assumeTrue(installed, "jq is not installed");
        for (String run : List.of("fp8-GEN", "fp8-CTX", "nvfp4-GEN", "nvfp4-CTX", "bf16-GEN", "bf16-CTX")) {
            Path to = Files.createDirectories(folder.resolve(run));
            long longer = run.equals("fp8-GEN") ? 500 : 0;
            Path trace = RecordedTrace.write(to.resolve("report_np1_rank0.sqlite"), longer, "MoE");
            assertEquals(
                    0, ProgramRun.of("report", "--file-path", trace.toString()).status());
        }

        // The reports are newer than the traces, so the launcher is asked for its help alone.
        Process process = new ProcessBuilder("bash", SCRIPT.toString(), "--report", "true", folder.toString())
                .redirectErrorStream(true)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();

        assertEquals(0, process.waitFor(), lines.toString());
        assertEquals(7, lines.size(), lines.toString());
        assertEquals("# format phase  batch     MoE us   limit us share %", lines.get(0));
        assertEquals("fp8      GEN        1        4.5        1.0    22.2", lines.get(1));
        assertEquals("bf16     CTX        1        4.0        1.0    25.0", lines.get(6));
    }
}
