package layerwise.bench.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import layerwise.op.Arithmetic;
import layerwise.op.Work;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuFactsTest {
    private static final Path SHIPPED = Path.of(System.getProperty("layerwise.home"), "configs", "gpus");

    @TempDir
    Path folder;

    @Test
    void theSlowerOfArithmeticAndMemoryLimits() {
        GpuFacts h100 = GpuFacts.of("NVIDIA H100 80GB HBM3", SHIPPED).orElseThrow();
        assertEquals(1000, h100.nominal().nanos(new Work(989_000_000, 0, Arithmetic.BF16)), 1e-6);
        assertEquals(1000, h100.nominal().nanos(new Work(989_000, 3_350_000, Arithmetic.BF16)), 1e-6);
        assertTrue(Double.isNaN(h100.measured().nanos(new Work(1, 0, Arithmetic.TF32))));
    }

    @Test
    void linksLimitWhatTravels() {
        GpuFacts h100 = GpuFacts.of("NVIDIA H100 80GB HBM3", SHIPPED).orElseThrow();
        // 450 MB over NVLink take a millisecond, whatever memory could do meanwhile.
        Work gather = new Work(0, 900_000_000, 450_000_000, Arithmetic.F32);
        assertEquals(1e6, h100.nominal().nanos(gather), 1e-3);
        assertTrue(Double.isNaN(h100.measured().nanos(gather)), "no rate of its links was measured");
    }

    @Test
    void decodeAttentionOfDeepSeekR1TakesItsPublishedLeastTime() {
        // 292.1 GFLOP over 1243.9 MB: 371 us by the H100's memory, 295 us by the H200's tensor cores.
        Work attention = new Work(292_100_000_000L, 1_243_900_000, Arithmetic.BF16);
        assertEquals(371, limit("NVIDIA H100 80GB HBM3", attention), 0.5);
        assertEquals(295, limit("NVIDIA H200", attention), 0.5);
    }

    private static double limit(String product, Work work) {
        return GpuFacts.of(product, SHIPPED).orElseThrow().nominal().nanos(work) / 1e3;
    }

    @Test
    void unknownGpusHaveNoFacts() {
        assertEquals(Optional.empty(), GpuFacts.of("NVIDIA A100-SXM4-80GB", SHIPPED));
    }

    @Test
    void damageNamesFileKeyAndValue() throws IOException {
        Files.writeString(folder.resolve("x.yaml"), "matches: X\nnominal: {bytes_per_second: fast}\n");
        ConfigException e = assertThrows(ConfigException.class, () -> GpuFacts.of("X", folder));
        assertTrue(e.getMessage().contains("x.yaml: nominal.bytes_per_second"), e.getMessage());
    }
}
