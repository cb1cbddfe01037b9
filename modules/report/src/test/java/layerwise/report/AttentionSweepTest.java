package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code .ci/gpu/attention_sweep} starts, by launchers that only say what they were asked. */
class AttentionSweepTest {
    private static final Path SCRIPT = Path.of(System.getProperty("layerwise.home"), ".ci", "gpu", "attention_sweep");

    @TempDir
    Path folder;

    /** 90 % of an H100 are 73,403 MiB; 131,072 tokens of 512 sequences at 1,152 bytes are 73,728. */
    @Test
    void startsWhatFitsAndPlotsIt() throws IOException, InterruptedException {
        launcher(
                "run.sh",
                "printf '%s %s\\n' \"$(sed 's/.*--kv-cache-dtype//; s/--warm.*//' <<<\"$*\")\" \"$DEVICE\" >>"
                        + folder.resolve("runs") + "; echo '[RANK 0]  batch_size'");
        launcher("layerwise", "printf '%s\\n' \"$*\" >>" + folder.resolve("plots"));
        List<String> out = sweep("81559");
        assertEquals(10, out.size());
        assertEquals("bf16 [RANK 0]  batch_size", out.getFirst());
        List<String> runs = Files.readAllLines(folder.resolve("runs"));
        String all = "1023,2047,4095,8191,16383,32767,65535,131071";
        assertEquals(10, runs.size());
        assertEquals(" auto --batch-size 1 --seq-len-kv-cache " + all + "  estimate:h100-sxm", runs.get(0));
        assertEquals(
                " auto --batch-size 512 --seq-len-kv-cache " + all.replace(",131071", "") + "  estimate:h100-sxm",
                runs.get(4));
        assertEquals(" fp8 --batch-size 512 --seq-len-kv-cache " + all + "  estimate:h100-sxm", runs.get(9));
        List<String> plots = Files.readAllLines(folder.resolve("plots"));
        assertEquals("plot --help", plots.getFirst());
        assertEquals(10, plots.getLast().split("report_np1_rank0.sqlite", -1).length - 1);
    }

    @Test
    void leavesOutWhatDoesNotFitAtAll() throws IOException, InterruptedException {
        launcher("run.sh", "echo '[RANK 0]  batch_size'");
        launcher("layerwise", "exit 2");
        List<String> out = sweep("600"); // 512 x 1,024 tokens are 576 MiB in BF16 and 288 in FP8
        assertEquals(
                List.of("bf16 512 left out: no length fits in 600 MiB"),
                out.stream().filter(line -> line.contains("left out")).toList());
        assertEquals(10, out.size());
    }

    private void launcher(String name, String command) throws IOException {
        Path file = Files.writeString(folder.resolve(name), "#!/usr/bin/env bash\n" + command + "\n");
        assertEquals(true, file.toFile().setExecutable(true));
    }

    private List<String> sweep(String mebibytes) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                        "bash", "" + SCRIPT, "" + folder.resolve("layerwise"), "" + folder.resolve("out"), mebibytes)
                .redirectErrorStream(true);
        builder.environment().put("DEVICE", "estimate:h100-sxm");
        Process process = builder.start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor(), lines.toString());
        return lines;
    }
}
