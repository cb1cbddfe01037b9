package layerwise.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import layerwise.cuda.Nvtx;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;

/** Who records, by the environment. */
class TracerTest {
    private static Tracer open(boolean cuda, Map<String, String> environment) {
        return Tracer.open(Recording.of(environment), cuda, List.of());
    }

    private static String refusal(boolean cuda, Map<String, String> environment) {
        return assertThrows(ConfigException.class, () -> open(cuda, environment))
                .getMessage();
    }

    @Test
    void theReferenceExecutorIsRecordedByItsOwnClockWhereverThatIsAsked() {
        for (String profiler : List.of("auto", "builtin")) {
            try (Tracer tracer = open(false, Map.of("PROFILER", profiler, "BACKTRACE", "1"))) {
                assertInstanceOf(Tracer.OwnClock.class, tracer);
            }
        }
    }

    @Test
    void nobodyRecordsWhereThatIsAskedWhateverElseIs() {
        Map<String, String> extras = Map.of("BACKTRACE", "1", "GPU_METRICS", "1");
        for (Map<String, String> off : List.of(Map.of("PROFILER", "none"), Map.of("PROFILE", "0"))) {
            Map<String, String> environment = new HashMap<>(extras);
            environment.putAll(off);
            try (Tracer tracer = open(false, environment)) {
                assertInstanceOf(Tracer.None.class, tracer);
            }
        }
    }

    @Test
    void nsysIsRefusedForARunThatItWouldSeeNothingOf() {
        assertEquals(
                "environment: PROFILER=nsys: expected builtin for a run without a GPU",
                refusal(false, Map.of("PROFILER", "nsys")));
    }

    @Test
    void nsysIsRefusedWithoutTheLibraryThatTellsItRanges() {
        assumeTrue(Nvtx.load().isEmpty(), "this machine has libnvtx3interop");
        assertEquals(
                "environment: PROFILER=nsys: libnvtx3interop is missing, so nsys would see no ranges; expected it in the"
                        + " CUDA toolkit, or PROFILER=builtin",
                refusal(true, Map.of("PROFILER", "nsys")));
    }

    @Test
    void gpuMetricsAreRefusedForARunWithoutAGpu() {
        assertEquals(
                "environment: GPU_METRICS=1: expected 0 for a run without a GPU",
                refusal(false, Map.of("GPU_METRICS", "1")));
    }
}
