package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The points of plots, and where two runs break even. */
class PlotTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"MLA, MLA", "'', (all layers)", "(outside modules), (outside modules)"})
    void pointsAreTheNumbersOfTheReportsModules(String option, String module) throws IOException {
        Path trace = decode("t", 1023, 40_260, 2047, 80_320, 131071, 5_000_640);
        assertEquals(0, ProgramRun.of("report", "--file-path", "" + trace).status());
        List<String> expected = new ArrayList<>(
                List.of("run,batch_size,seq_len_q,seq_len_kv_cache,module,mean_us,limit_us,limit_percent"));
        List<String> tables = Files.readString(folder.resolve("t.txt"))
                .lines()
                .filter(line -> line.startsWith(module + " "))
                .limit(3)
                .map(line -> line.split(" +")[module.split(" ").length + 1])
                .toList();
        JsonNode problems = JsonMapper.builder().build().readTree(Files.readString(folder.resolve("t.json")));
        int[] pasts = {1023, 2047, 131071};
        for (int p = 0; p < pasts.length; p++) {
            JsonNode sum = problems.get(p).get("modules").get(module.equals("MLA") ? 0 : 1);
            boolean limited = !module.equals("(outside modules)");
            double limit = problems.get(p).get("modules").get(0).get("limit").asDouble();
            double mean = module.equals("(all layers)")
                    ? problems.get(p).get("total").asDouble()
                    : sum.get("duration").asDouble();
            String exact = fixed(mean / 1000);
            assertEquals(tables.get(p), exact, "the table and the JSON agree");
            expected.add("t,1,1,%d,%s,%s,%s,%s"
                    .formatted(
                            pasts[p],
                            module,
                            exact,
                            limited ? fixed(limit / 1000) : "",
                            limited ? fixed(100 * limit / mean) : ""));
        }

        List<String> arguments = new ArrayList<>(List.of("--over", "seq_len_kv_cache", "" + trace));
        if (!option.isEmpty()) {
            arguments.addAll(List.of("--module", option));
        }
        plot(arguments.toArray(String[]::new));
        assertEquals(expected, Files.readAllLines(folder.resolve("p.csv")));
    }

    private static String fixed(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    /** 100 us and 100 us against 200 us and 50 us: the logarithms meet in the middle of those of 1,024 and 4,096. */
    @Test
    void breaksEvenWhereTheLogarithmsCross() throws IOException {
        Path a = decode("a", 256, 90_000, 1024, 100_000, 4096, 100_000);
        Path b = decode("b", 512, 1_000_000, 1024, 200_000, 4096, 50_000, 8192, 1_000);
        String sentence = "break-even of a and b at seq_len_kv_cache 2048 (100.0 us): a is faster below, b above";
        assertEquals(sentence, lastLine(plot("--module", "MLA", "--over", "seq_len_kv_cache", "" + a, "" + b)));
        assertTrue(svg().contains(">break-even at 2048</text>"));
        assertTrue(Files.readString(folder.resolve("p.html")).contains(sentence));
    }

    /** 400 us against 100 us, then 100 us against 200 us: two thirds of the way from 1 to 8, where both take 400/4^(2/3). */
    @Test
    void breaksEvenBetweenUnequalSteps() throws IOException {
        Path a = new SweptTrace()
                .add(1, 1, 7, 400_000, 1)
                .add(8, 1, 7, 100_000, 1)
                .write(folder.resolve("a.sqlite"));
        Path b = new SweptTrace()
                .add(1, 1, 7, 100_000, 1)
                .add(8, 1, 7, 200_000, 1)
                .write(folder.resolve("b.sqlite"));
        assertEquals(
                "break-even of a and b at batch_size 4.00 (158.7 us): b is faster below, a above",
                lastLine(plot("--module", "MLA", "--over", "batch_size", "" + a, "" + b)));
    }

    @Test
    void namesEveryCrossing() throws IOException {
        Path a = decode("a", 1, 100_000, 4, 100_000, 16, 100_000, 64, 100_000, 256, 100_000);
        Path b = decode("b", 1, 200_000, 4, 50_000, 16, 100_000, 64, 200_000, 256, 200_000);
        assertEquals(
                "break-even of a and b at seq_len_kv_cache 2.00 (100.0 us), 16.0 (100.0 us): a is faster below the first,"
                        + " and each of them changes that",
                lastLine(plot("--module", "MLA", "--over", "seq_len_kv_cache", "" + a, "" + b)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "200; 400; 16; no break-even: a is faster throughout, seq_len_kv_cache 0 to 16",
                "90; 50; 16; no break-even: b is faster throughout, seq_len_kv_cache 0 to 16",
                "100; 50; 16; no break-even: b is faster or as fast throughout, seq_len_kv_cache 0 to 16",
                "100; 100; 16; no break-even: a and b take the same time throughout, seq_len_kv_cache 0 to 16",
                "100; 50; 15; no break-even: a and b take the same time at seq_len_kv_cache 0, the only one in common",
            })
    void saysWhichIsFasterWhereTheyDoNotCross(long first, long last, int at, String sentence) throws IOException {
        Path a = decode("a", 0, 100_000, 16, 100_000);
        Path b = decode("b", 0, first * 1000, at, last * 1000);
        assertEquals(sentence, lastLine(plot("--module", "MLA", "--over", "seq_len_kv_cache", "" + a, "" + b)));
    }

    @Test
    void drawsACurveForEachValueOfAnotherDimension() throws IOException {
        SweptTrace a = new SweptTrace();
        SweptTrace b = new SweptTrace();
        for (int batch : new int[] {1, 32}) {
            for (int past : new int[] {1000, 2000}) {
                a.add(batch, 1, past, past * (10L + batch), past);
                b.add(batch, 1, past, 22_000 * (batch + 5L) / 4, past);
            }
        }
        ProgramRun run = plot(
                "--module=MLA",
                "--over=seq_len_kv_cache",
                "" + a.write(folder.resolve("a.sqlite")),
                "" + b.write(folder.resolve("b.sqlite")));
        List<String> lines = run.out().lines().toList();
        // 11 and 22 against 33 us; 42 and 84 against 203.5 us.
        assertEquals(
                "batch_size 1: no break-even: a is faster throughout, seq_len_kv_cache 1000 to 2000",
                lines.get(lines.size() - 2));
        assertEquals(
                "batch_size 32: no break-even: a is faster throughout, seq_len_kv_cache 1000 to 2000", lines.getLast());
        for (String curve : List.of("a, batch_size 1", "a, batch_size 32", "b, batch_size 1", "b, batch_size 32")) {
            assertTrue(svg().contains(">" + curve + "</text>"), curve);
            assertTrue(svg().contains(">limit of " + curve + "</title>"), curve);
        }
        assertEquals(8 + 1, Files.readAllLines(folder.resolve("p.csv")).size());
    }

    /** Two formats, a trace for each batch: two runs of two curves. */
    @Test
    void tracesOfDifferentProblemsInAFolderAreOneRun() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("--module=MLA", "--over=seq_len_kv_cache"));
        for (String format : List.of("bf16", "fp8")) {
            for (int batch : new int[] {1, 8}) {
                Path to = Files.createDirectories(folder.resolve(format).resolve("" + batch));
                long nanos = format.equals("fp8") ? 50_000 : 100_000;
                arguments.add(""
                        + new SweptTrace()
                                .add(batch, 1, 10, nanos, 1)
                                .add(batch, 1, 20, nanos, 1)
                                .write(to.resolve("report_np1_rank0.sqlite")));
            }
        }
        ProgramRun run = plot(arguments.toArray(String[]::new));
        assertEquals("batch_size 8: no break-even: fp8 is faster throughout, seq_len_kv_cache 10 to 20", lastLine(run));
        assertTrue(Files.readString(folder.resolve("p.csv")).contains("\r\nfp8,8,1,20,MLA,50.0,0.0,0.0\r\n"));

        // The same problem twice in a folder: now each trace is a run of its own.
        arguments.set(
                3, "" + decode("bf16/8/report_np1_rank0", 10, 1000, 20, 1000).toAbsolutePath());
        Files.delete(Path.of(arguments.get(2)));
        arguments.set(2, "" + decode("bf16/1/report_np1_rank0", 10, 1000, 20, 1000));
        plot(arguments.toArray(String[]::new));
        String csv = Files.readString(folder.resolve("p.csv"));
        assertTrue(csv.contains("\r\nbf16/1,1,1,10,") && csv.contains("\r\nbf16/8,1,1,10,"), csv);
        assertTrue(csv.contains("\r\nfp8,8,"), csv);
    }

    @Test
    void aLimitThatIsUnknownIsLeftOut() throws IOException {
        Path trace = new SweptTrace()
                .add(1, 1, 10, 5_000, Double.NaN)
                .add(1, 1, 20, 5_000, Double.NaN)
                .write(folder.resolve("t.sqlite"));
        plot("--module=MLA", "--over=seq_len_kv_cache", "" + trace);
        assertTrue(Files.readString(folder.resolve("p.csv")).endsWith("t,1,1,20,MLA,5.0,,\r\n"));
        assertFalse(svg().contains(">limit</text>"));
    }

    @Test
    void saysWhatWasEstimatedAndOfWhichRun() throws IOException {
        Path measured = decode("m", 1, 100_000, 4096, 200_000);
        Path estimated = SweptTrace.decode(1, 90_000, 4096, 180_000)
                .estimated("curves of 14 problems")
                .write(folder.resolve("e.sqlite"));
        String mixed = "ESTIMATE is e, nothing of it was measured: curves of 14 problems";
        assertTrue(plot("--over=seq_len_kv_cache", "" + measured, "" + estimated)
                .out()
                .contains("# " + mixed + "\n"));
        assertTrue(svg().contains(">" + mixed + "</text>"));
        assertTrue(Files.readString(folder.resolve("p.html")).contains("<p>" + mixed + "</p>"));
        assertTrue(plot("--over=seq_len_kv_cache", "" + estimated)
                .out()
                .contains("# ESTIMATE, nothing was measured: curves of 14 problems\n"));
    }

    @Test
    void balanceRatiosHaveAColumnAndCurves() throws IOException {
        Path trace = new SweptTrace()
                .balanced(0.5, 10, 5_000)
                .balanced(0.5, 20, 5_000)
                .balanced(1, 10, 4_000)
                .balanced(1, 20, 4_000)
                .write(folder.resolve("t.sqlite"));
        plot("--module=MLA", "--over=seq_len_kv_cache", "" + trace);
        String csv = Files.readString(folder.resolve("p.csv"));
        assertTrue(csv.startsWith("run,batch_size,seq_len_q,seq_len_kv_cache,balance_ratio,module,"), csv);
        assertTrue(csv.contains("t,1,1,20,0.5,MLA,5.0"), csv);
        assertTrue(svg().contains(">balance_ratio 0.5</text>") && svg().contains(">balance_ratio 1.0</text>"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tr-TR", "ar-EG", "de-DE", "hi-IN-u-nu-deva"})
    void writesTheSameInEveryLocale(String tag) throws IOException {
        Path a = decode("a", 1, 100_000, 4096, 200_000);
        Path b = decode("b", 1, 200_000, 4096, 100_000);
        String out = plot("--over", "seq_len_kv_cache", "" + a, "" + b).out();
        String html = Files.readString(folder.resolve("p.html"));
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag(tag));
            assertEquals(out, plot("--over", "seq_len_kv_cache", "" + a, "" + b).out());
            assertEquals(html, Files.readString(folder.resolve("p.html")));
        } finally {
            Locale.setDefault(before);
        }
    }

    private Path decode(String name, long... pastAndNanos) {
        return SweptTrace.decode(pastAndNanos).write(folder.resolve(name + ".sqlite"));
    }

    private ProgramRun plot(String... arguments) {
        List<String> all = new ArrayList<>(List.of("plot", "--output-file", "" + folder.resolve("p")));
        all.addAll(List.of(arguments));
        ProgramRun run = ProgramRun.of(all.toArray(String[]::new));
        assertEquals(0, run.status(), run.err());
        return run;
    }

    private static String lastLine(ProgramRun run) {
        return run.out().lines().toList().getLast();
    }

    private String svg() throws IOException {
        return Files.readString(folder.resolve("p.svg"));
    }
}
