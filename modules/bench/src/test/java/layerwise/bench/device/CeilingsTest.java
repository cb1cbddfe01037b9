package layerwise.bench.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import layerwise.op.Capabilities;
import layerwise.op.Communicator;
import layerwise.op.Journal;
import layerwise.reference.ReferenceExecutor;
import org.junit.jupiter.api.Test;

class CeilingsTest {
    @Test
    void everyRateIsMeasuredOnAnyExecutor() {
        try (ReferenceExecutor executor = new ReferenceExecutor(Journal.NONE, Capabilities.plain())) {
            Map<String, Double> rates = new Ceilings(executor, 128, 64).measure(Communicator.alone());
            assertEquals(
                    List.of("bytes_per_second", "bf16", "fp8", "launch_ns", "graph_launch_ns"),
                    List.copyOf(rates.keySet()));
            // Between a pocket calculator and any processor there is.
            rates.forEach((key, value) -> assertTrue(value > 1 && value < 1e13, key + " " + value));
            assertTrue(rates.get("bf16") > rates.get("bytes_per_second") / 100, rates.toString());
        }
    }

    @Test
    void ratesReadAsTheGpusFileTakesThem() {
        Map<String, Double> rates = new LinkedHashMap<>();
        rates.put("bytes_per_second", 3.0125e12);
        rates.put("bf16", 800e12);
        rates.put("launch_ns", 2345.4);
        assertEquals("measured: {bytes_per_second: 3.013e12, bf16: 800.0e12}", Ceilings.yaml(rates));
        assertEquals(
                List.of("bytes_per_second 3012.5 e9", "bf16 800000.0 e9", "launch_ns 2345"),
                Ceilings.lines(rates, Optional.empty()));
    }
}
