package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From our own recorder to the reports, with costs. */
class RecordedTraceTest {
    @TempDir
    Path folder;

    @Test
    void dividesAnOperatorsCostOverItsKernels() throws IOException {
        Path trace = record("t", 0);
        ProgramRun run = ProgramRun.of("report", "--file-path", trace.toString(), "--query", "MLA, norm");
        assertEquals(0, run.status(), run.err());
        JsonNode problem = JsonMapper.builder()
                .build()
                .readTree(Files.readString(folder.resolve("t.json")))
                .get(0);
        JsonNode timeline = problem.get("timeline");
        assertEquals(3, timeline.size());
        // The module's sums: 4 us, a quarter of which is its limit.
        JsonNode mla = problem.get("modules").get(0);
        assertEquals("[\"MLA\"] 2", mla.get("path") + " " + mla.get("kernels"));
        assertEquals(4000, mla.get("duration").asDouble());
        assertEquals(1000, mla.get("limit").asDouble());
        // The operator took 3,000 ns and 1,000 ns: three quarters and one quarter of its cost.
        assertEquals(4_500_000, timeline.get(0).get("flops").asDouble());
        assertEquals(1_500_000, timeline.get(1).get("flops").asDouble());
        assertEquals(500, timeline.get(1).get("ceiling").asDouble());
        assertEquals("memory", timeline.get(0).get("bound").asText());
        assertEquals(
                "mla.q 2x3",
                timeline.get(0).get("operator").asText() + " "
                        + timeline.get(0).get("shape").asText());
        assertEquals(timeline.get(0).get("launch"), timeline.get(1).get("launch"), "kernels of one operator");
        assertTrue(timeline.get(2).get("flops") == null, "a kernel outside any cost range has none");
        assertEquals(3000, timeline.get(0).get("min").asLong());
        assertEquals("[0,0,0,0,0,0,0,0,0,0]", timeline.get(0).get("above_min").toString());
        // 6 MFLOP and 3 MB in 4 us: 1.5 TFLOP/s, 750 GB/s, a quarter of the limit, half of the ceiling.
        assertTrue(
                run.out()
                        .lines()
                        .anyMatch(line -> line.matches(
                                "MLA +2 +4\\.0 +4\\.0 +4\\.0 +80\\.0 +1\\.50 +750 +25\\.0 +50\\.0 +memory")),
                run.out());
        assertTrue(
                run.out()
                        .lines()
                        .anyMatch(line -> line.matches(
                                "\\|--gemm +3\\.0 +3\\.0 +3\\.0 +60\\.0 +1\\.50 +750 +25\\.0 +50\\.0 +memory")),
                run.out());
        assertTrue(
                run.out().lines().anyMatch(line -> line.matches("\\(all layers\\) +3 +5\\.0 .* +1\\.20 +600 .*memory")),
                run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.matches("norm +0\\.9 +0\\.9 +0\\.9 +18\\.0")), run.out());
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
                        .anyMatch(line -> line.matches("\\|--gemm +3\\.0 +5\\.0 +\\+2\\.0 +\\+66\\.7 +<0\\.001 +\\*")),
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
                run.out().lines().anyMatch(line -> line.matches("MLA > gemm +2 +3\\.0 +4\\.0 +5\\.0 +40\\.0 +1")),
                run.out());
        assertTrue(Files.readString(folder.resolve("report_np2_all_ranks.csv"))
                .contains("b=1 s=2 past=3 balance=0.5 NP1,MLA > gemm,2,3.0,4.0,5.0,40.0,1\r\n"));
        JsonNode row = JsonMapper.builder()
                .build()
                .readTree(Files.readString(folder.resolve("report_np2_all_ranks.json")))
                .get(0)
                .get("rows")
                .get(0);
        assertEquals("[\"MLA\"]", row.get("path").toString());
        assertEquals("[3000.0,5000.0]", row.get("ranks").toString());
        assertEquals(1, row.get("slowest").asInt());
        assertTrue(Files.readString(folder.resolve("report_np2_all_ranks.html"))
                .contains("<td class=\"figures strong\">5.0"));
    }

    @Test
    void namesEveryRankWithoutATraceBeforeReadingAny() throws IOException {
        record("report_np4_rank0", 0);
        record("report_np4_rank2", 0);
        ProgramRun run = ProgramRun.of("report", "--np", "4", "--all-ranks", "--profile-dir", folder.toString());
        assertEquals(2, run.status());
        assertEquals(
                "layerwise: " + folder.resolve("report_np4_rank1.sqlite")
                        + ": no such file; --all-ranks needs the traces of all 4 ranks, missing are those of [1, 3]\n",
                run.err());
        assertFalse(Files.exists(folder.resolve("report_np4_all_ranks.txt")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--query=MLA", "--perfetto", "--format=markdown", "--rank=0"})
    void refusesWhatAReportOverRanksHasNoUseFor(String option) {
        ProgramRun run =
                ProgramRun.of("report", "--np", "2", "--all-ranks", option, "--profile-dir", folder.toString());
        assertEquals(2, run.status());
        assertEquals("layerwise: " + option.replaceAll("=.*", "") + ": not for a report over all ranks\n", run.err());
    }

    @Test
    void writesPerfettoAndMarkdownOnDemand() throws IOException {
        Path trace = record("t", 0);
        ProgramRun run = ProgramRun.of("report", "--file-path", trace.toString(), "--perfetto", "--format", "markdown");
        assertEquals(0, run.status(), run.err());
        assertTrue(
                run.out().contains("| MLA | 2 | 4.0 | 4.0 | 4.0 | 80.0 | 1.50 | 750 |  | 25.0 | 50.0 | memory |"),
                run.out());
        JsonNode events = JsonMapper.builder()
                .build()
                .readTree(Files.readString(folder.resolve("t.perfetto.json")))
                .get("traceEvents");
        List<String> names =
                events.findValuesAsText("ph").stream().filter("X"::equals).toList();
        assertEquals(3, names.size());
    }

    private Path record(String name, long longer) {
        return RecordedTrace.write(folder.resolve(name + ".sqlite"), longer);
    }
}
