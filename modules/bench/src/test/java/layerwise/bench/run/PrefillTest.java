package layerwise.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import layerwise.op.Batch;
import org.junit.jupiter.api.Test;

class PrefillTest {
    @Test
    void requestsShareStepsOfAtMost20480Tokens() {
        List<Prefill.Pass> passes = new Prefill(5, 8193).passes();
        assertEquals(
                List.of(
                        new Prefill.Pass(0, Batch.uniform(2, 8193, 0)),
                        new Prefill.Pass(2, Batch.uniform(2, 8193, 0)),
                        new Prefill.Pass(4, Batch.uniform(1, 8193, 0))),
                passes);
    }

    @Test
    void longerContextsTakeStepsOverTheirCachedPrefix() {
        assertEquals(
                List.of(
                        new Prefill.Pass(0, Batch.uniform(1, 20_480, 0)),
                        new Prefill.Pass(0, Batch.uniform(1, 12_289, 20_480)),
                        new Prefill.Pass(1, Batch.uniform(1, 20_480, 0)),
                        new Prefill.Pass(1, Batch.uniform(1, 12_289, 20_480))),
                new Prefill(2, 32_769).passes());
    }

    @Test
    void anEmptyCacheNeedsNone() {
        assertTrue(new Prefill(3, 0).passes().isEmpty());
    }
}
