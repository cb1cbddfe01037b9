package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import layerwise.report.synthetic.SyntheticOptions;
import layerwise.report.synthetic.SyntheticTrace;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What cannot be used ends with one line and status 2, and leaves earlier reports as they were. */
class ReportErrorsTest {
    @TempDir
    Path folder;

    private Path trace;

    @BeforeEach
    void makeTraceAndEarlierReports() throws SQLException, IOException {
        trace = folder.resolve("t.sqlite");
        SyntheticTrace.write(SyntheticOptions.presets().get("mixed"), trace);
        for (String suffix : new String[] {".txt", ".csv", ".html", ".json"}) {
            Files.writeString(folder.resolve("t" + suffix), "earlier");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "DROP TABLE CUPTI_ACTIVITY_KIND_KERNEL; table CUPTI_ACTIVITY_KIND_KERNEL is missing (written by",
                "DROP TABLE CUPTI_ACTIVITY_KIND_RUNTIME; table CUPTI_ACTIVITY_KIND_RUNTIME is missing (written by",
                "DROP TABLE NVTX_EVENTS; table NVTX_EVENTS is missing (written by Nsight Systems 2025.6.3.343, schema 3.24.8)",
                "DROP TABLE StringIds; table StringIds is missing",
                "ALTER TABLE CUPTI_ACTIVITY_KIND_KERNEL RENAME COLUMN demangledName TO n; column CUPTI_ACTIVITY_KIND_KERNEL.demangledName is missing (written by",
                "DELETE FROM CUPTI_ACTIVITY_KIND_KERNEL; differs from run 0",
                "DELETE FROM NVTX_EVENTS; has no layer-wise markers",
                "UPDATE StringIds SET value = replace(value, 'warmup_times', 'x'); records no warmup_times; give --warmup-times",
                "UPDATE StringIds SET value = replace(value, '}', '') WHERE value GLOB '*problem_spec*'; has damaged JSON",
                "UPDATE StringIds SET value = replace(value, 'b=1', 'c=1'); has no run in the trace"
            })
    void namesWhatATraceLacks(String change, String message) throws SQLException, IOException {
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + trace);
                Statement statement = database.createStatement()) {
            if (change.startsWith("DELETE FROM CUPTI_ACTIVITY_KIND_KERNEL")) {
                statement.execute("DELETE FROM CUPTI_ACTIVITY_KIND_MEMCPY WHERE rowid % 3 = 0");
            }
            statement.execute(change);
        }
        assertRefused(message, "--file-path", trace.toString());
    }

    @ParameterizedTest
    @CsvSource({
        "8, 'has 8 runs, no more than the 8 warm-up runs'",
        "100, 'no more than the 100 warm-up runs'",
        "-1, 'expected a number of runs, 0 or more'"
    })
    void refusesWarmUpThatLeavesNoRun(String warmup, String message) throws IOException {
        assertRefused(message, "--file-path", trace.toString(), "--warmup-times", warmup);
    }

    @Test
    void refusesFilesThatAreNoTraces() throws IOException {
        byte[] whole = Files.readAllBytes(trace);
        Files.write(trace, new byte[0]);
        assertRefused("is empty", "--file-path", trace.toString());
        Files.writeString(trace, "plain text");
        assertRefused("is not an SQLite file", "--file-path", trace.toString());
        Files.write(trace, Arrays.copyOf(whole, whole.length / 2));
        assertRefused("is not a readable trace", "--file-path", trace.toString());
        Files.delete(trace);
        assertRefused("no such file", "--file-path", trace.toString());
    }

    @Test
    void refusesALockedFile() throws SQLException, IOException {
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + trace);
                Statement statement = database.createStatement()) {
            statement.execute("BEGIN EXCLUSIVE");
            assertRefused("is locked by another program", "--file-path", trace.toString());
        }
    }

    @Test
    void checksItsOptions() throws IOException {
        assertRefused("Please specify exactly one of --file-path and --world-size.");
        assertRefused(
                "Please specify exactly one of --file-path and --world-size.",
                "--file-path",
                trace.toString(),
                "--np",
                "1");
        assertRefused("expected a .nsys-rep or .sqlite file", "--file-path", "x.qdrep");
        assertRefused("Unknown option: '--perfeto'; did you mean --", "--perfeto", "--file-path", trace.toString());
        assertRefused("--rank", "--file-path", trace.toString(), "--rank", "one");
        assertRefused(
                "report_np2_rank1.sqlite: no such file", "--np", "2", "--rank", "1", "--profile-dir", "" + folder);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "compare; requires at least 2 values, but none were specified",
                "compare TRACE; positional parameter at index 0..* (TRACE) requires at least 2 values, but only 1 were specified",
                "explain; Missing required parameter: 'TRACE'",
                "compare --warmup-times -1 TRACE TRACE; --warmup-times -1: expected a number of runs, 0 or more",
                "explain --warmup-times -1 TRACE; --warmup-times -1: expected a number of runs, 0 or more"
            })
    void checksTracesAndWarmUpOfOtherCommands(String arguments, String message) {
        ProgramRun run = ProgramRun.of(arguments.replace("TRACE", "" + trace).split(" "));
        assertEquals(2, run.status(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(message), run.err());
    }

    @Test
    void refusesGraphsThatWereTracedWhole() throws SQLException, IOException {
        Files.delete(trace);
        SyntheticTrace.write(SyntheticOptions.wholeGraphs(), trace);
        assertRefused("record with --cuda-graph-trace=node", "--file-path", trace.toString());
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + trace);
                Statement statement = database.createStatement()) {
            statement.execute("DROP TABLE CUPTI_ACTIVITY_KIND_KERNEL");
        }
        assertRefused(
                "graphs were traced whole (record with --cuda-graph-trace=node)", "--file-path", trace.toString());
    }

    @Test
    void refusesOptionsThatAListingHasNoUseFor() throws SQLException, IOException {
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + trace);
                Statement statement = database.createStatement()) {
            statement.execute("DELETE FROM NVTX_EVENTS");
        }
        for (String option : new String[] {"--module=MLA", "--query=MLA", "--perfetto", "--format=markdown"}) {
            assertRefused(
                    option.replaceAll("=.*", "") + ": not for a listing of",
                    "--lenient",
                    option,
                    "--file-path",
                    "" + trace);
        }
    }

    @Test
    void refusesTimelinesThatCannotBeCorrelated() throws IOException {
        Path whole = Files.writeString(folder.resolve("w.json"), """
                [{"name": "w", "timeline": [{"name": "k", "duration": 1, "end": 1}]}]""");
        Path damaged = Files.writeString(folder.resolve("d.json"), "[{\n");
        assertCorrelationRefused(folder.resolve("n.json") + ": no such file", folder.resolve("n.json"), "c.html");
        assertCorrelationRefused(damaged + ": is not the JSON of a timeline, line 2: ", damaged, "c.html");
        assertCorrelationRefused("cannot be written: there is no folder " + folder.resolve("no"), whole, "no/c.html");
        assertFalse(Files.exists(folder.resolve("c.html")));
    }

    private void assertCorrelationRefused(String message, Path reference, String output) {
        Path target = folder.resolve("w.json");
        ProgramRun run = ProgramRun.of(
                "correlate", "--reference", "" + reference, "--target", "" + target, "-o", "" + folder.resolve(output));
        assertEquals(2, run.status(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(message), run.err());
    }

    @Test
    void refusesAnAmbiguousModuleAndNamesTheRun() throws SQLException, IOException {
        Path repeated = folder.resolve("r.sqlite");
        SyntheticTrace.write(SyntheticOptions.presets().get("repeated layers"), repeated);
        ProgramRun run = ProgramRun.of("report", "--file-path", repeated.toString(), "--module", "MoE");
        assertEquals(2, run.status());
        assertTrue(
                run.err()
                        .matches(
                                "(?s).*Module is ambiguous: \"MoE\" appears \\d+ times in \"b=1 .*\"'s \\d+-th run\\n"),
                run.err());
    }

    @Test
    void showsTheFirstDifferenceBetweenRunsAndGroupsByNameLeniently() throws SQLException, IOException {
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + trace);
                Statement statement = database.createStatement()) {
            statement.execute("DELETE FROM CUPTI_ACTIVITY_KIND_KERNEL WHERE rowid = 150");
        }
        ProgramRun strict = ProgramRun.of("report", "--file-path", trace.toString());
        assertEquals(2, strict.status());
        assertTrue(strict.err().contains(" differs from run 0 ("), strict.err());
        assertTrue(strict.err().contains(" instead of \""), strict.err());
        ProgramRun lenient = ProgramRun.of("report", "--lenient", "--file-path", trace.toString());
        assertEquals(0, lenient.status(), lenient.err());
        assertTrue(lenient.out().contains("grouped by name"), lenient.out());
    }

    @Test
    void failsOnUnknownKernelsOnlyWhenAsked() throws SQLException, IOException {
        assertEquals(0, ProgramRun.of("report", "--file-path", trace.toString()).status());
        try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + trace);
                Statement statement = database.createStatement()) {
            statement.execute(
                    "UPDATE StringIds SET value = 'void at::native::vectorized_elementwise_kernel<4, New>(int)'"
                            + " WHERE value GLOB '*CUDAFunctor_add*'");
        }
        ProgramRun warned = ProgramRun.of("report", "--file-path", trace.toString());
        assertEquals(0, warned.status());
        assertTrue(warned.err().startsWith("Not parsed torch kernel name: void at::native::"), warned.err());
        ProgramRun failed = ProgramRun.of("report", "--file-path", trace.toString(), "--error-on-unknown-kernel");
        assertEquals(2, failed.status());
        assertTrue(failed.err().contains("Unknown kernel names encountered"), failed.err());
    }

    private void assertRefused(String message, String... arguments) throws IOException {
        String[] all = new String[arguments.length + 1];
        all[0] = "report";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        ProgramRun run = ProgramRun.of(all);
        assertEquals(2, run.status(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(message), run.err());
        assertEquals("", run.out());
        for (String suffix : new String[] {".txt", ".csv", ".html", ".json"}) {
            assertEquals("earlier", Files.readString(folder.resolve("t" + suffix)));
        }
    }
}
