package layerwise.bench.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import layerwise.estimate.Bound;
import layerwise.estimate.GpuFacts;
import layerwise.op.Arithmetic;
import layerwise.op.Work;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuFileTest {
    private static final Path SHIPPED = Path.of(System.getProperty("layerwise.home"), "configs", "gpus");

    @TempDir
    Path folder;

    @Test
    void theSlowerOfArithmeticAndMemoryLimits() {
        GpuFacts h100 = GpuFile.of("NVIDIA H100 80GB HBM3", SHIPPED).orElseThrow();
        assertEquals(1000, h100.nominal().nanos(new Work(989_000_000, 0, Arithmetic.BF16)), 1e-6);
        assertEquals(1000, h100.nominal().nanos(new Work(989_000, 3_350_000, Arithmetic.BF16)), 1e-6);
        assertTrue(Double.isNaN(h100.measured().orElseThrow().nanos(new Work(1, 0, Arithmetic.TF32))));
    }

    @Test
    void linksLimitWhatTravels() {
        GpuFacts h100 = GpuFile.of("NVIDIA H100 80GB HBM3", SHIPPED).orElseThrow();
        // 450 MB over NVLink take a millisecond, whatever memory could do meanwhile.
        Work gather = new Work(0, 900_000_000, 450_000_000, Arithmetic.F32);
        assertEquals(1e6, h100.nominal().nanos(gather), 1e-3);
        assertTrue(Double.isNaN(h100.measured().orElseThrow().nanos(gather)), "no rate of its links was measured");
    }

    @Test
    void decodeAttentionOfDeepSeekR1TakesItsPublishedLeastTime() {
        // 292.1 GFLOP over 1243.9 MB: 371 us by the H100's memory, 295 us by the H200's tensor cores.
        Work attention = new Work(292_100_000_000L, 1_243_900_000, Arithmetic.BF16);
        assertEquals(371, limit("NVIDIA H100 80GB HBM3", attention), 0.5);
        assertEquals(295, limit("NVIDIA H200", attention), 0.5);
    }

    private static double limit(String product, Work work) {
        return GpuFile.of(product, SHIPPED).orElseThrow().nominal().nanos(work) / 1e3;
    }

    @Test
    void unknownGpusHaveNoFacts() {
        assertEquals(Optional.empty(), GpuFile.of("NVIDIA A100-SXM4-40GB", SHIPPED));
    }

    @Test
    void damageNamesFileKeyAndValue() throws IOException {
        Files.writeString(folder.resolve("x.yaml"), """
                matches: X
                memory_bytes: 1
                domain: 1
                gpus_per_node: 1
                nic_bytes_per_second: 1
                nominal: {bytes_per_second: fast}
                """);
        ConfigException e = assertThrows(ConfigException.class, () -> GpuFile.of("X", folder));
        assertTrue(e.getMessage().contains("x.yaml: nominal.bytes_per_second"), e.getMessage());
    }

    @Test
    void everyShippedFileHoldsUp() {
        for (String name : GpuFile.names(SHIPPED)) {
            GpuFacts gpu = GpuFile.named("test", name, SHIPPED);
            Work copy = new Work(0, 1 << 30, Arithmetic.F32);
            assertEquals(Optional.of(Bound.MEMORY), gpu.nominal().bound(copy), name);
            gpu.measured().ifPresent(measured -> {
                assertTrue(measured.bytesPerSecond() < gpu.nominal().bytesPerSecond(), name);
                measured.flops()
                        .forEach((arithmetic, rate) ->
                                assertTrue(rate < gpu.nominal().flops().get(arithmetic), name + " " + arithmetic));
            });
            assertTrue(gpu.nominal().flops().containsKey(Arithmetic.BF16), name);
            assertTrue(gpu.memoryBytes() > 1L << 35, name);
        }
    }

    @Test
    void anUnknownNameNamesTheNearest() {
        ConfigException e = assertThrows(ConfigException.class, () -> GpuFile.named("--device", "b20", SHIPPED));
        assertTrue(e.getMessage().startsWith("--device: no GPU 'b20', expected one of a100-sxm, b200"), e.getMessage());
        assertTrue(e.getMessage().contains("; nearest: b200"), e.getMessage());
    }
}
