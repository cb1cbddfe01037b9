package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.trace.Markers;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A serving run of three layers: recorded once eagerly with layer marks, once with graphs and other kernels. */
class AlignTest {
    private static final String[] LAYERS = {"abc", "abd", "abc"};
    private static final String[] FUSED = {"ab", "xabyd", "bc"};

    @TempDir
    Path folder;

    private final AtomicLong clock = new AtomicLong(1_760_000_000_000_000_000L);

    @Test
    void findsTheKernelsOfALayerInTheGraphTrace() throws IOException {
        Path eager = record("eager", LAYERS, true, 4);
        Path graph = record("graph", FUSED, false, 4);
        Path output = folder.resolve("e2e.json");
        ProgramRun run = ProgramRun.of(
                "align",
                "--eager-trace",
                "" + eager,
                "--graph-trace",
                "" + graph,
                "--layer-indices",
                "1",
                "--warmup-times",
                "2",
                "-o",
                "" + output);
        assertEquals(0, run.status(), run.err());
        JsonNode timelines = JsonMapper.builder().build().readTree(Files.readString(output));
        assertEquals(1, timelines.size());
        assertEquals("parse_e2e", timelines.get(0).get("name").asText());
        JsonNode timeline = timelines.get(0).get("timeline");
        // Layer 1 spans its eager kernels a, b and d; y lies between them, x before the first.
        assertEquals(List.of("a", "b", "y", "d"), timeline.findValuesAsText("name"));
        assertEquals(100, timeline.get(0).get("duration").asDouble());
        assertEquals(100, timeline.get(0).get("end").asDouble());
        assertEquals(400, timeline.get(3).get("end").asDouble());
        assertTrue(run.out().startsWith("Kernel"), run.out());
    }

    @Test
    void refusesTracesThatDoNotBelongTogether() {
        Path eager = record("eager", LAYERS, true, 4);
        Path shorter = record("graph", FUSED, false, 3);
        assertRefused("The ID of iterations do not match", eager, shorter, "1", "2");
        assertRefused("the eager trace marks 3 layers", eager, eager, "7", "2");
        assertRefused("is left after 9 warm-up iterations", eager, eager, "1", "9");
        assertRefused("expected whole numbers", eager, eager, "one", "2");
    }

    @Test
    void iterationsCanBeChosenByNumber() throws IOException {
        Path eager = record("eager", LAYERS, true, 4);
        Path output = folder.resolve("e2e.json");
        ProgramRun run = align(eager, output, "--start-iter", "41", "--stop-iter", "42");
        assertEquals(0, run.status(), run.err());
        JsonNode timelines = JsonMapper.builder().build().readTree(Files.readString(output));
        assertEquals(List.of("a", "b", "d"), timelines.get(0).get("timeline").findValuesAsText("name"));

        assertOneLine(
                "no iteration from 44 to 50 is left", align(eager, output, "--start-iter", "44", "--stop-iter", "50"));
        assertOneLine(
                "is left after 2 warm-up",
                align(eager, output, "--start-iter", "41", "--stop-iter", "42", "--warmup-times", "2"));
        assertOneLine("--stop-iter missing: expected both", align(eager, output, "--start-iter", "41"));
        assertOneLine(
                "expected both, the first not after", align(eager, output, "--start-iter", "42", "--stop-iter", "41"));
        assertOneLine(
                "by number or by --target-ctx-reqs",
                align(eager, output, "--start-iter", "41", "--stop-iter", "42", "--target-gen-reqs", "32"));
    }

    private static ProgramRun align(Path eager, Path output, String... choice) {
        List<String> arguments = new ArrayList<>(
                List.of("align", "--eager-trace", "" + eager, "--layer-indices", "1", "-o", "" + output));
        arguments.addAll(List.of(choice));
        return ProgramRun.of(arguments.toArray(String[]::new));
    }

    private static void assertOneLine(String message, ProgramRun run) {
        assertEquals(2, run.status());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(message), run.err());
    }

    private static void assertRefused(String message, Path eager, Path graph, String layers, String warmup) {
        ProgramRun run = ProgramRun.of(
                "align",
                "--eager-trace",
                "" + eager,
                "--graph-trace",
                "" + graph,
                "--layer-indices",
                layers,
                "--warmup-times",
                warmup,
                "-o",
                "x.json");
        assertOneLine(message, run);
    }

    private Path record(String name, String[] layers, boolean marked, int iterations) {
        TraceRecorder recorder =
                TraceRecorder.start(new TraceProcess(1, "engine", List.of(), "layerwise test"), clock::get);
        for (int iteration = 0; iteration < iterations; iteration++) {
            recorder.pushRange("[Executor] _forward_step " + (40 + iteration) + ": 0 ctx reqs, 32 gen reqs");
            for (int layer = 0; layer < layers.length; layer++) {
                recorder.pushRange(marked ? Markers.layer(layer) : "plain");
                for (String kernel : layers[layer].split("")) {
                    clock.addAndGet(100);
                    long now = recorder.now();
                    recorder.kernel(kernel, 7, now, now + 1, now + 5, now + 105);
                }
                clock.addAndGet(50);
                recorder.popRange();
            }
            recorder.popRange();
            clock.addAndGet(1000);
        }
        Path file = folder.resolve(name + ".sqlite");
        recorder.write(file);
        return file;
    }
}
