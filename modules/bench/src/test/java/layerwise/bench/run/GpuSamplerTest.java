package layerwise.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Samples of a GPU that a fake NVML describes. */
class GpuSamplerTest {
    @TempDir
    Path folder;

    private List<String> sample(String busId) throws IOException {
        FakeLibrary nvml = FakeLibrary.compile("fake_nvml.c", "libnvidia-ml.so.1", folder);
        return nvml.run(
                GpuSamplerProgram.class, busId, folder.resolve("trace.sqlite").toString());
    }

    @Test
    void samplesWhatTheGpuAnswersAndSaysWhatItDoesNot() throws IOException {
        List<String> lines = sample("0000:1B:00.0");

        Matcher clock = Pattern.compile("SM Clock \\[MHz\\] of GPU 2: (\\d+) samples, 1000 to (\\d+), in order true")
                .matcher(lines.stream()
                        .filter(line -> line.startsWith("SM Clock"))
                        .findFirst()
                        .orElseThrow());
        assertTrue(clock.matches(), lines.toString());
        int samples = Integer.parseInt(clock.group(1));
        assertTrue(samples >= 3, samples + " samples in 300 ms");
        assertEquals(999 + samples, Integer.parseInt(clock.group(2)));
        for (String expected : List.of(
                "Power [mW] of GPU 2: %d samples, 412345 to 412345, in order true",
                "GPU Temperature [C] of GPU 2: %d samples, 61 to 61, in order true",
                "GPU Utilization [%%] of GPU 2: %d samples, 98 to 98, in order true",
                "Memory Utilization [%%] of GPU 2: %d samples, 42 to 42, in order true",
                "Clock Event Reasons [bits] of GPU 2: %d samples, 4 to 4, in order true")) {
            assertTrue(lines.contains(expected.formatted(samples)), lines.toString());
        }
        assertTrue(lines.stream().noneMatch(line -> line.startsWith("Memory Clock")), lines.toString());
        // No machine that runs this test lets counters of such a GPU be sampled.
        assertTrue(lines.getFirst().startsWith("absent: SM, tensor and DRAM activity: "), lines.toString());
    }

    @Test
    void saysThatTheGpuIsUnknownToNvml() throws IOException {
        List<String> lines = sample("0000:FF:00.0");

        assertEquals(
                "absent: clocks, power, temperature and utilisation:"
                        + " nvmlDeviceGetHandleByPciBusId: nvmlReturn_t (6): Not Found",
                lines.getFirst());
        assertEquals(2, lines.size(), lines.toString());
    }
}
