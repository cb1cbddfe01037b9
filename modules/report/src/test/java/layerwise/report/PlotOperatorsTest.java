package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plots of operators that were timed alone. */
class PlotOperatorsTest {
    private static final List<String> ATTENTION = List.of("--operator=MlaDecodeAttention", "--over=seq_len_kv_cache");

    @TempDir
    Path folder;

    /** Of an even number of replays the mean of the two in the middle. */
    @Test
    void pointsAreMediansBesideTheirLimits() throws IOException {
        Path file = new TimedOperators("m", "NVIDIA H100")
                .add(1, 1023, "bf16", "cold", 5, 40, 20, 90)
                .add(1, 131071, "bf16", "cold", 30, 100, 40, 50, 60)
                .add(8, 1023, "bf16", "cold", Double.NaN, 7)
                .write(folder.resolve("a.json"));
        ProgramRun run = attention(file);
        assertEquals(
                List.of(
                        "run,batch_size,seq_len_q,seq_len_kv_cache,operator,median_us,limit_us,limit_percent",
                        "a,1,1,1023,MlaDecodeAttention,40.0,5.0,12.5",
                        "a,1,1,131071,MlaDecodeAttention,55.0,30.0,54.5",
                        "a,8,1,1023,MlaDecodeAttention,7.0,,"),
                Files.readAllLines(folder.resolve("p.csv")));
        assertTrue(run.out().startsWith("# layerwise plot: MlaDecodeAttention over seq_len_kv_cache; seq_len_q 1\n"));
        assertTrue(run.out().contains("\n# NVIDIA H100\n\n"), run.out());
        String svg = Files.readString(folder.resolve("p.svg"));
        assertTrue(svg.contains(">batch_size 1</text>") && svg.contains(">batch_size 8</text>"), svg);
        assertTrue(svg.contains(">limit of batch_size 1</title>"), svg);
        String page = Files.readString(folder.resolve("p.html"));
        assertTrue(page.contains("Median GPU time in microseconds") && page.contains("median (us)"), page);
    }

    @Test
    void cacheFormatsNameRunsThatWereTimedInParts() throws IOException {
        ProgramRun run = attention(
                TimedOperators.attention("bf16", 1, 10, 20).write(folder.resolve("x/1.json")),
                TimedOperators.attention("bf16", 8, 10, 20).write(folder.resolve("x/8.json")),
                TimedOperators.attention("e4m3", 1, 10, 20).write(folder.resolve("y/1.json")));
        assertEquals(
                List.of("cache bf16", "cache bf16", "cache bf16", "cache bf16", "cache e4m3", "cache e4m3"), runs());
        assertEquals(
                "batch_size 1: no break-even: cache bf16 and cache e4m3 take the same time throughout,"
                        + " seq_len_kv_cache 10 to 20",
                run.out().lines().toList().getLast());
    }

    @Test
    void modelsAndGpusNameRunsWhereTheyDiffer() throws IOException {
        attention(
                file("a", "deepseek-ai/R1", "H100"),
                file("b", "nvidia/R1-FP4", "H100"),
                file("c", "deepseek-ai/R1", "H200"));
        assertEquals(
                List.of("R1, H100", "R1-FP4, H100", "R1, H200"),
                runs().stream().distinct().toList());
    }

    @Test
    void pathsNameRunsThatAgreeInAllElse() throws IOException {
        attention(file("before", "m", "H100"), file("after", "m", "H100"));
        assertEquals(List.of("before", "after"), runs().stream().distinct().toList());

        // The same problem twice with one cache: these two are told apart, too.
        attention(
                TimedOperators.attention("bf16", 1, 10, 20).write(folder.resolve("1.json")),
                TimedOperators.attention("bf16", 1, 10, 20).write(folder.resolve("2.json")),
                TimedOperators.attention("e4m3", 1, 10, 20).write(folder.resolve("3.json")));
        assertEquals(
                List.of("cache bf16/1", "cache bf16/2", "cache e4m3"),
                runs().stream().distinct().toList());
    }

    @Test
    void saysWhereOperandsMayHaveBeenInTheCache() throws IOException {
        Path file = new TimedOperators("m", "H100")
                .add(1, 10, "bf16", "warm", 5, 40)
                .add(1, 20, "bf16", "cold", 5, 40)
                .add(1, 30, "bf16", "partly", 5, 40)
                .write(folder.resolve("a.json"));
        String caveat = "operands may have been in the L2 at 2 of 3 points (partly, warm)";
        assertTrue(attention(file).out().contains("\n# " + caveat + "\n"));
        assertTrue(Files.readString(folder.resolve("p.svg")).contains(">" + caveat + "</text>"));
        assertTrue(Files.readString(folder.resolve("p.html")).contains(caveat));
        ProgramRun cold = attention(TimedOperators.attention("bf16", 1, 10, 20).write(folder.resolve("b.json")));
        assertFalse(cold.out().contains("operands"), cold.out());
    }

    @Test
    void readsWhatTheBenchmarkLeft() throws IOException {
        attention(recorded());
        List<String> lines = Files.readAllLines(folder.resolve("p.csv"));
        assertEquals(7, lines.size());
        assertTrue(lines.get(6).matches("recorded,4,1,255,MlaDecodeAttention,1726\\.3,,"), lines.get(6));
        assertRefused(
                "--operator Linear: is 5 operators of one problem of " + folder.resolve("recorded.json")
                        + ", 1x416x512 bf16, 1x768x256 bf16, 1x512x512 bf16, 1x16x512 bf16, 1x512x256 bf16; expected one"
                        + " that is once in each: MlaDecodeAttention",
                "--operator=Linear",
                "--over=batch_size",
                "" + folder.resolve("recorded.json"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--operator MlaDecode --over seq_len_kv_cache FILE| --operator MlaDecode: expected an operator of FILE; did you mean MlaDecodeAttention?",
                "--operator Route --over seq_len_kv_cache FILE| --operator Route: expected an operator of FILE: Linear, MlaDecodeAttention",
                "--operator MlaDecodeAttention --over seq_len_q FILE| --over seq_len_q: FILE has one value of it, 1; expected at least 2; did you mean --over batch_size?",
                "--operator MlaDecodeAttention --over batch_size FILE FILE| FILE: is given twice; expected different files",
                "--over batch_size FILE| FILE: expected a .nsys-rep or .sqlite file; of a file of operators name one by --operator",
                "--operator Linear --module MLA --over batch_size FILE| --module: is for traces; expected it without --operator Linear",
                "--operator Linear --warmup-times 1 --over batch_size FILE| --warmup-times: is for traces; expected it without --operator Linear",
                "--operator Linear --lenient --over batch_size FILE| --lenient: is for traces; expected it without --operator Linear",
                "--operator Linear --over batch_size t.sqlite| t.sqlite: expected the .json file that operators left; modules of traces are named by --module",
                "--operator Linear --over batch_size o.csv| o.csv: expected the .json file that operators left; did you mean o.json?",
                "--operator Linear --over batch_size no.json| no.json: no such file",
            })
    void namesTheOptionItsValueAndTheNearestChoice(String arguments, String message) throws IOException {
        String file = recorded().toString();
        assertRefused(
                message.replace("FILE", file), arguments.replace("FILE", file).split(" "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"schema_version\" : 1| \"schema_version\" : 2| schema_version is 2; expected 1",
                "\"device\"| \"devise\"| device is missing; did you mean devise?",
                "\"model\" : \"tiny-deepseek\"| \"model\" : null| args.model is null; expected a text",
                "\"batch_size\" : 4| \"batch_size\" : 0| operators[8].batch_size is 0; expected a whole number, 1 or more",
                "\"seq_len_kv_cache\" : 63| \"seq_len_kv_cache\" : 6.5| operators[6].seq_len_kv_cache is 6.5; expected a whole number, 0 or more",
                "\"micros\" : [ 7| \"micros\" : [ -7| operators[0].micros[0] is -783.096; expected a number above 0",
                "\"operators\" : [ {| \"operators\" : [], \"x\" : [ {| operators is an array; expected an array with elements",
                "\"cache\" : \"unknown\",| | operators[0].cache is missing",
                "\"args\" : {| \"args\" : [| is not JSON, line 5: Unexpected character (':' (code 58)): was expecting comma to separate Array entries",
            })
    void namesTheKeyItsValueAndWhatWasExpected(String from, String to, String message) throws IOException {
        Path file = recorded();
        String text = Files.readString(file);
        assertTrue(text.contains(from), from);
        Files.writeString(file, text.replace(from, to == null ? "" : to));
        assertRefused(file + ": " + message, "--operator=MlaDecodeAttention", "--over=batch_size", "" + file);
    }

    private Path file(String name, String model, String device) throws IOException {
        return new TimedOperators(model, device)
                .add(1, 10, "bf16", "cold", 5, 40)
                .add(1, 20, "bf16", "cold", 5, 40)
                .write(folder.resolve(name + ".json"));
    }

    /** A copy of a file that the reference executor's times are in. */
    private Path recorded() throws IOException {
        Path file = folder.resolve("recorded.json");
        try (InputStream resource = getClass().getResourceAsStream("operators/operators_np1_rank0.json")) {
            return Files.write(file, resource.readAllBytes());
        }
    }

    private List<String> runs() throws IOException {
        return Files.readAllLines(folder.resolve("p.csv")).stream()
                .skip(1)
                .map(line -> line.replace("\"", "").replaceFirst(",\\d+,1,\\d+,Mla.*", ""))
                .toList();
    }

    private ProgramRun attention(Path... files) {
        List<String> arguments = new ArrayList<>(ATTENTION);
        for (Path file : files) {
            arguments.add(file.toString());
        }
        ProgramRun run = plot(arguments);
        assertEquals(0, run.status(), run.err());
        return run;
    }

    private ProgramRun plot(List<String> arguments) {
        List<String> all = new ArrayList<>(List.of("plot", "--output-file", "" + folder.resolve("p")));
        all.addAll(arguments);
        return ProgramRun.of(all.toArray(String[]::new));
    }

    private void assertRefused(String message, String... arguments) throws IOException {
        for (String suffix : List.of(".html", ".svg", ".csv")) {
            Files.writeString(folder.resolve("p" + suffix), "earlier");
        }
        ProgramRun run = plot(List.of(arguments));
        assertEquals("layerwise: " + message + "\n", run.err());
        assertEquals(2, run.status());
        assertEquals("", run.out());
        for (String suffix : List.of(".html", ".svg", ".csv")) {
            assertEquals("earlier", Files.readString(folder.resolve("p" + suffix)));
        }
    }
}
