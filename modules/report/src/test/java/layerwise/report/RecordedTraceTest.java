package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import layerwise.trace.CostRecord;
import layerwise.trace.Markers;
import layerwise.trace.ProblemSpec;
import layerwise.trace.TraceProcess;
import layerwise.trace.TraceRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From our own recorder to the reports, with costs. */
class RecordedTraceTest {
    private static final CostRecord GEMM = new CostRecord("mla.q", "2x3", "bf16", 6_000_000, 3_000_000, 1000, 2000);
    private static final ProblemSpec SPEC = new ProblemSpec(1, 2, 3, OptionalDouble.of(0.5));

    @TempDir
    Path folder;

    private final AtomicLong clock = new AtomicLong(1_760_000_000_000_000_000L);

    @Test
    void dividesAnOperatorsCostOverItsKernels() throws IOException {
        Path trace = record("t", 0);
        ProgramRun run = ProgramRun.of("report", "--file-path", trace.toString(), "--query", "MLA, norm");
        assertEquals(0, run.status(), run.err());
        JsonNode timeline = JsonMapper.builder()
                .build()
                .readTree(Files.readString(folder.resolve("t.json")))
                .get(0)
                .get("timeline");
        assertEquals(3, timeline.size());
        // The operator took 3,000 ns and 1,000 ns: three quarters and one quarter of its cost.
        assertEquals(4_500_000, timeline.get(0).get("flops").asDouble());
        assertEquals(1_500_000, timeline.get(1).get("flops").asDouble());
        assertEquals(500, timeline.get(1).get("ceiling").asDouble());
        assertTrue(timeline.get(2).get("flops") == null, "a kernel outside any cost range has none");
        // 6 MFLOP and 3 MB in 4 us: 1.5 TFLOP/s, 750 GB/s, a quarter of the limit, half of the ceiling.
        assertTrue(
                run.out()
                        .lines()
                        .anyMatch(line ->
                                line.matches("MLA +2 +4\\.0 +4\\.0 +4\\.0 +80\\.0 +1\\.50 +750 +25\\.0 +50\\.0")),
                run.out());
        assertTrue(run.out().contains("Query:\nMLA "), run.out());
    }

    @Test
    void writesTheCsvOfTheReferenceByteForByte() throws IOException {
        ProgramRun.of("report", "--file-path", record("t", 0).toString());
        String title = "b=1 s=2 past=3 balance=0.5 NP1";
        assertEquals(
                "," + title + "\r\nMLA,\r\n|--gemm,3.0\r\n|--reduce,1.0\r\nnorm,0.9\r\nOverlap,0.0\r\nSpace,0.1\r\n"
                        + "Total,5.0\r\n",
                Files.readString(folder.resolve("t.csv")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tr-TR", "ar-EG", "de-DE", "hi-IN-u-nu-deva"})
    void writesTheSameInEveryLocale(String tag) throws IOException {
        Path trace = record("t", 0);
        ProgramRun expected = ProgramRun.of("report", "--file-path", trace.toString());
        String html = Files.readString(folder.resolve("t.html"));
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag(tag));
            assertEquals(
                    expected.out(),
                    ProgramRun.of("report", "--file-path", trace.toString()).out());
            assertEquals(html, Files.readString(folder.resolve("t.html")));
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void comparesTracesAndMarksWhatChanged() {
        Path base = record("a", 0);
        Path other = record("b", 2000);
        ProgramRun same = ProgramRun.of("compare", base.toString(), base.toString());
        assertEquals(0, same.status(), same.err());
        assertTrue(same.out().lines().skip(6).noneMatch(line -> line.endsWith("*")), same.out());
        ProgramRun changed = ProgramRun.of("compare", base.toString(), other.toString());
        assertTrue(
                changed.out()
                        .lines()
                        .anyMatch(line -> line.matches("\\|--gemm +3\\.0 +5\\.0 +\\+2\\.0 +\\+66\\.7 +0\\.000 +\\*")),
                changed.out());
        assertTrue(changed.out()
                .lines()
                .anyMatch(line -> line.matches("norm +0\\.9 +0\\.9 +\\+0\\.0 +\\+0\\.0 +1\\.000")));
    }

    @Test
    void showsTheSlowestRankOfEveryRow() throws IOException {
        record("report_np2_rank0", 0);
        record("report_np2_rank1", 2000);
        ProgramRun run = ProgramRun.of("report", "--np", "2", "--all-ranks", "--profile-dir", folder.toString());
        assertEquals(0, run.status(), run.err());
        assertTrue(
                run.out().lines().anyMatch(line -> line.matches("MLA > gemm +2 +3\\.0 +4\\.0 +5\\.0 +1")), run.out());
        assertTrue(Files.exists(folder.resolve("report_np2_all_ranks.csv")));
    }

    @Test
    void writesPerfettoAndMarkdownOnDemand() throws IOException {
        Path trace = record("t", 0);
        ProgramRun run = ProgramRun.of("report", "--file-path", trace.toString(), "--perfetto", "--format", "markdown");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("| MLA | 2 | 4.0 | 4.0 | 4.0 | 80.0 | 1.50 | 750 | 25.0 | 50.0 |"), run.out());
        JsonNode events = JsonMapper.builder()
                .build()
                .readTree(Files.readString(folder.resolve("t.perfetto.json")))
                .get("traceEvents");
        List<String> names =
                events.findValuesAsText("ph").stream().filter("X"::equals).toList();
        assertEquals(3, names.size());
    }

    /** Ten runs after one of warm-up; the GEMM of every run takes {@code longer} nanoseconds more. */
    private Path record(String name, long longer) {
        TraceRecorder recorder =
                TraceRecorder.start(new TraceProcess(1, "test", List.of(), "layerwise test"), clock::get);
        recorder.mark(Markers.args(Map.of("warmup_times", 1)));
        recorder.mark(Markers.problem(SPEC));
        for (int run = 0; run <= 10; run++) {
            clock.addAndGet(10_000);
            recorder.pushRange(Markers.run(SPEC, 1));
            recorder.pushRange("MLA");
            recorder.pushRange(Markers.cost(GEMM));
            long start = recorder.now();
            recorder.kernel("gemm", 7, start, start, start, start + 3000 + longer);
            recorder.kernel("reduce", 7, start, start, start + 3000 + longer, start + 4000 + longer);
            recorder.popRange();
            recorder.popRange();
            clock.addAndGet(1);
            recorder.kernel("norm", 7, start + 1, start + 1, start + 4100 + longer, start + 5000 + longer);
            clock.addAndGet(1);
            recorder.popRange();
        }
        Path file = folder.resolve(name + ".sqlite");
        recorder.write(file);
        return file;
    }
}
