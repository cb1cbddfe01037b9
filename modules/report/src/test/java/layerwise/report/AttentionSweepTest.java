package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code .ci/gpu/attention_sweep} starts, by a launcher that only says what it was asked. */
class AttentionSweepTest {
    private static final Path SCRIPT = Path.of(System.getProperty("layerwise.home"), ".ci", "gpu", "attention_sweep");
    private static final String ALL = "1023,2047,4095,8191,16383,32767,65535,131071";
    private static final String TIMES = """
            echo '# operator'; echo '  MlaDecodeAttention'; touch "$PROFILE_DIR"/operators_np1_rank0.json""";

    @TempDir
    Path folder;

    private Path out;

    @BeforeEach
    void place() {
        out = folder.resolve("out");
    }

    /** 90 % of an H100 are 73,403 MiB; 131,072 tokens of 512 sequences at 1,152 bytes are 73,728. */
    @Test
    void startsBatchesOfLikeLengthsTogetherAndPlotsThem() throws IOException, InterruptedException {
        launcher(TIMES, "true");
        Path stale = Files.createDirectories(out.resolve("bf16/1-8"));
        Files.writeString(stale.resolve("operators_np1_rank0.json"), "of a smaller GPU");
        assertEquals(
                List.of("bf16  MlaDecodeAttention", "bf16  MlaDecodeAttention", "fp8  MlaDecodeAttention"),
                sweep(0, "" + folder.resolve("layerwise"), "" + out, "81559"));
        List<String> asked = asked();
        String model =
                "operators config_gen.yaml --device cuda --model deepseek-ai/DeepSeek-R1-0528-BF16 --layer-indices 2"
                        + " --operators MlaDecodeAttention --kv-cache-dtype ";
        assertEquals(model + "auto --batch-size 1,8,32,128 --seq-len-kv-cache " + ALL, asked.get(0));
        assertEquals(model + "auto --batch-size 512 --seq-len-kv-cache " + ALL.replace(",131071", ""), asked.get(1));
        assertEquals(model + "fp8 --batch-size 1,8,32,128,512 --seq-len-kv-cache " + ALL, asked.get(2));
        assertEquals("plot --help", asked.get(3));
        assertEquals(plot("bf16/1-8-32-128", "bf16/512", "fp8/1-8-32-128-512"), asked.get(4));
        assertEquals(5, asked.size());
    }

    @Test
    void leavesOutWhatDoesNotFitAtAll() throws IOException, InterruptedException {
        launcher(TIMES, "true");
        // 512 x 1,024 tokens are 576 MiB in BF16 and 288 in FP8
        List<String> said = sweep(0, "" + folder.resolve("layerwise"), "" + out, "600");
        assertEquals(
                List.of("bf16 512 left out: no length fits in 600 MiB"),
                said.stream().filter(line -> line.contains("left out")).toList());
        assertTrue(asked().contains(
                        asked().getFirst().replaceFirst("auto .*", "fp8 --batch-size 512 --seq-len-kv-cache 1023")));
    }

    @Test
    void countsStartsThatFailAndPlotsTheRest() throws IOException, InterruptedException {
        launcher("case $* in *'dtype fp8'*) echo 'out of memory'; exit 1 ;; esac; " + TIMES, "true");
        List<String> said = sweep(1, "" + folder.resolve("layerwise"), "" + out, "81559");
        assertEquals("fp8 1,8,32,128,512 failed: out of memory", said.getLast());
        assertEquals(plot("bf16/1-8-32-128", "bf16/512"), asked().getLast());
    }

    @Test
    void drawsElsewhereFromFilesThatAreThere() throws IOException, InterruptedException {
        launcher(TIMES, "exit 2");
        String last =
                sweep(0, "" + folder.resolve("layerwise"), "" + out, "81559").getLast();
        assertEquals(
                "attention_sweep: the report program is not here; times are in " + out
                        + ", for attention_sweep --plot elsewhere",
                last);
        assertEquals(List.of(last), sweep(2, "--plot", "" + folder.resolve("layerwise"), "" + out));
        launcher("exit 1", "true");
        assertEquals(List.of(), sweep(0, "--plot", "" + folder.resolve("layerwise"), "" + out));
        assertEquals(plot("bf16/1-8-32-128", "bf16/512", "fp8/1-8-32-128-512"), asked().getLast());
        Path none = folder.resolve("none");
        assertEquals(
                List.of("attention_sweep: " + none
                        + "/{bf16,fp8}/*/operators_np1_rank0.json: there is none; expected those of a sweep"),
                sweep(2, "--plot", "" + folder.resolve("layerwise"), "" + none));
    }

    /** The plot of files below these folders. */
    private String plot(String... starts) {
        StringBuilder plot = new StringBuilder(
                        "plot --operator MlaDecodeAttention --over seq_len_kv_cache --output-file ")
                .append(out.resolve("attention"));
        for (String start : starts) {
            plot.append(' ').append(out.resolve(start).resolve("operators_np1_rank0.json"));
        }
        return plot.toString();
    }

    private List<String> asked() throws IOException {
        return Files.readAllLines(folder.resolve("asked"));
    }

    private void launcher(String operators, String plot) throws IOException {
        Files.deleteIfExists(folder.resolve("asked"));
        Path file =
                Files.writeString(folder.resolve("layerwise"), """
                #!/usr/bin/env bash
                printf '%%s\\n' "$*" >>'%s'
                case $1 in
                operators) %s ;;
                plot) %s ;;
                esac
                """.formatted(folder.resolve("asked"), operators, plot));
        assertTrue(file.toFile().setExecutable(true));
    }

    private static List<String> sweep(int status, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bash", SCRIPT.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertEquals(status, process.waitFor(), lines.toString());
        return lines;
    }
}
