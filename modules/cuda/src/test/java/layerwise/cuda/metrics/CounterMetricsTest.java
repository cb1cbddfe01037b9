package layerwise.cuda.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import layerwise.cuda.CudaLibrary;
import layerwise.cuda.CuptiException;
import layerwise.cuda.Libraries;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CounterMetricsTest {
    @BeforeAll
    static void needsCupti() {
        assumeTrue(Libraries.has(CudaLibrary.CUPTI), "this machine has no libcupti");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GH100", "GB100"})
    void countsEverythingInOnePass(String chip) {
        try (CounterMetrics metrics = CounterMetrics.of(chip)) {
            MemorySegment configuration = metrics.configuration();
            assertTrue(configuration.byteSize() > 0);
            assertEquals(1, metrics.passes(configuration));
            assertEquals(4, metrics.metrics().size());
        }
    }

    @Test
    void namesTheCallThatRefusesAChip() {
        CuptiException failure = assertThrows(CuptiException.class, () -> CounterMetrics.of("ABACUS"));
        assertEquals("cuptiProfilerHostInitialize", failure.call());
    }
}
