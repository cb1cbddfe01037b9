package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What cannot be plotted ends with one line and status 2, and leaves earlier files as they were. */
class PlotErrorsTest {
    @TempDir
    Path folder;

    private Path trace;

    @BeforeEach
    void record() throws IOException {
        trace = SweptTrace.decode(1, 100_000, 4096, 200_000).write(folder.resolve("t.sqlite"));
        for (String suffix : List.of(".html", ".svg", ".csv")) {
            Files.writeString(folder.resolve("p" + suffix), "earlier");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--over seq_len_kv| --over seq_len_kv: expected batch_size, seq_len_q or seq_len_kv_cache; did you mean seq_len_kv_cache?",
                "--over batch-size| --over batch-size: expected batch_size, seq_len_q or seq_len_kv_cache; did you mean batch_size?",
                "--over depth| --over depth: expected batch_size, seq_len_q or seq_len_kv_cache",
                "--module MLA| plot: --over is missing; expected batch_size, seq_len_q or seq_len_kv_cache",
                "--over seq_len_kv_cache --module mlas| --module mlas: expected a module of TRACE; did you mean MLA?",
                "--over seq_len_kv_cache --module Attention| --module Attention: expected a module of TRACE: MLA, (outside modules), (all layers)",
                "--over batch_size| --over batch_size: TRACE has one value of it, 1; expected at least 2; did you mean --over seq_len_kv_cache?",
                "--over seq_len_kv_cache --warmup-times -1| --warmup-times -1: expected a number of runs, 0 or more",
                "--over seq_len_kv_cache --modul MLA| Unknown option: '--modul'; did you mean --module?",
            })
    void namesTheOptionItsValueAndTheNearestChoice(String arguments, String message) throws IOException {
        assertRefused(message.replace("TRACE", "" + trace), (arguments + " " + trace).split(" "));
    }

    @Test
    void refusesWhatIsNoTrace() throws IOException {
        Path json = folder.resolve("t.json");
        assertRefused(
                json + ": expected a .nsys-rep or .sqlite file; of a file of operators name one by --operator",
                "--over=batch_size",
                "" + json);
        assertRefused(folder + ": expected a .nsys-rep or .sqlite file", "--over=batch_size", "" + folder);
        Path none = folder.resolve("none.sqlite");
        assertRefused(none + ": no such file, and no .nsys-rep beside it", "--over=batch_size", "" + trace, "" + none);
        assertRefused("Missing required parameter: 'FILE'", "--over=batch_size");
        assertRefused(
                trace + ": is given twice; expected different files",
                "--over=seq_len_kv_cache",
                "" + trace,
                "" + folder.resolve("../" + folder.getFileName() + "/t.sqlite").normalize());
    }

    @Test
    void refusesARunWithOneProblem() throws IOException {
        Path one = SweptTrace.decode(7, 100_000).write(folder.resolve("one.sqlite"));
        assertRefused(
                "--over seq_len_kv_cache: " + one + " has one value of it, 7; expected at least 2",
                "--over=seq_len_kv_cache",
                "" + trace,
                "" + one);
    }

    @Test
    void refusesAFolderThatIsNotThere() {
        ProgramRun run = ProgramRun.of(
                "plot", "--over=seq_len_kv_cache", "--output-file", "" + folder.resolve("no/p"), "" + trace);
        assertEquals(2, run.status());
        assertEquals(
                "layerwise: %s: cannot be written: there is no folder %s\n"
                        .formatted(folder.resolve("no/p.html"), folder.resolve("no")),
                run.err());
        assertFalse(Files.exists(folder.resolve("no")));
    }

    private void assertRefused(String message, String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of("plot", "--output-file", "" + folder.resolve("p")));
        all.addAll(List.of(arguments));
        ProgramRun run = ProgramRun.of(all.toArray(String[]::new));
        assertEquals(2, run.status(), run.err());
        assertEquals("layerwise: " + message + "\n", run.err());
        assertEquals("", run.out());
        for (String suffix : List.of(".html", ".svg", ".csv")) {
            assertEquals("earlier", Files.readString(folder.resolve("p" + suffix)));
        }
    }
}
