package layerwise.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import layerwise.bench.fixture.Fixtures;
import layerwise.trace.CallChains;
import layerwise.trace.GpuActivities;
import layerwise.trace.GraphNodes;
import layerwise.trace.TraceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole commands: exit status, the one line of an error, files left behind. */
class MainTest {
    @TempDir
    Path folder;

    private record Outcome(int status, String out, String err) {}

    private Outcome run(String... arguments) {
        return run(Map.of("PROFILE_DIR", folder.resolve("profiles").toString()), List.of(arguments));
    }

    private static Outcome run(Map<String, String> environment, List<String> arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(
                arguments,
                environment,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private static void assertRefused(Outcome outcome, String... parts) {
        assertEquals(2, outcome.status(), outcome.err());
        assertEquals(1, outcome.err().lines().count(), outcome.err());
        for (String part : parts) {
            assertTrue(outcome.err().contains(part), outcome.err() + " lacks " + part);
        }
    }

    @Test
    void quickstartLeavesStatisticsAndATrace() {
        Outcome outcome = run("run", "quickstart.yaml");
        assertEquals(0, outcome.status(), outcome.err());
        assertTrue(
                outcome.out()
                        .lines()
                        .anyMatch(
                                line -> line.matches(
                                        "\\[RANK 0]  batch_size 4  seq_len_q 1  seq_len_kv_cache 256  mean [0-9.]+  median .*\\(us\\)")),
                outcome.out());
        assertTrue(Files.exists(folder.resolve("profiles/report_np1_rank0.sqlite")));
    }

    @Test
    void nothingIsRecordedWithProfileOff() {
        Path profiles = folder.resolve("off");
        Outcome outcome = run(
                Map.of("PROFILE", "0", "PROFILE_DIR", profiles.toString()),
                List.of("run", "quickstart.yaml", "--seq-len-kv-cache", "16"));
        assertEquals(0, outcome.status(), outcome.err());
        assertFalse(Files.exists(profiles.resolve("report_np1_rank0.sqlite")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--layer-indices 0,1,2 --seq-len-kv-cache 16|1",
                "--layer-indices 5,6,7,8 --seq-len-kv-cache 16 --batch-size 2|1",
                "--layer-indices 11 --seq-len-kv-cache 0|1",
                "--seq-len-q 4 --seq-len-kv-cache 33 --kv-cache-dtype fp8|1",
                "--run-type CTX --no-use-cuda-graph --seq-len-kv-cache 0 --batch-size 1,2,4 --seq-len-q 8,16|6",
                "--run-type CTX --seq-len-kv-cache 0,5 --batch-size 2 --seq-len-q 8 --balance-method NotModified|2",
                "--check --sync-every-launch --seq-len-kv-cache 16|1",
                "--tokens-per-block 64 --seq-len-kv-cache 100,7 --no-enable-attention-dp|2",
            })
    void shapesRunOnTheSmallModel(String options, int problems) {
        List<String> arguments = new ArrayList<>(List.of("run", "quickstart.yaml", "--run-times", "1"));
        arguments.addAll(List.of(options.split(" ")));
        Outcome outcome = run(Map.of("PROFILE", "0", "PROFILE_DIR", folder.toString()), arguments);
        assertEquals(0, outcome.status(), outcome.err());
        assertEquals(
                problems,
                outcome.out()
                        .lines()
                        .filter(line -> line.startsWith("[RANK 0]"))
                        .count(),
                outcome.out());
    }

    /** The customer's launch lines on small variants of their models, and shapes beside them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "config_ctx.yaml --model tiny-nemotron --layer-indices 4,5,6 --mamba-ssm-cache-dtype float16 --seq-len-q 65",
                "config_gen.yaml --model tiny-nemotron --layer-indices 4,5,6 --mamba-ssm-cache-dtype float16 --seq-len-kv-cache 65 --batch-size 4",
                "config_ctx.yaml --model tiny-qwen3-next --layer-indices 6,7 --no-enable-attention-dp --mamba-ssm-cache-dtype float16 --batch-size 4 --seq-len-q 65",
                "config_gen.yaml --model tiny-qwen3-next --layer-indices 6,7 --no-enable-attention-dp --mamba-ssm-cache-dtype float16 --seq-len-kv-cache 65 --batch-size 8",
                "config_gen.yaml --model tiny-nemotron --layer-indices 10,11,12 --seq-len-kv-cache 0 --batch-size 2 --kv-cache-dtype fp8",
                "config_gen.yaml --model tiny-nemotron --layer-indices 0 --seq-len-q 4 --seq-len-kv-cache 9 --batch-size 2 --mamba-ssm-cache-dtype float32",
                "config_gen.yaml --model tiny-qwen3-next --layer-indices 11 --seq-len-q 4 --seq-len-kv-cache 9 --batch-size 2 --kv-cache-dtype fp8",
                "config_gen.yaml --model tiny-qwen3-next --layer-indices 0 --seq-len-q 2 --seq-len-kv-cache 9 --batch-size 2 --mamba-ssm-cache-dtype bfloat16",
                "config_ctx.yaml --model tiny-qwen3-next --layer-indices 2,3 --seq-len-kv-cache 7 --seq-len-q 3 --balance-method NotModified",
            })
    void hybridModelsRun(String line) {
        List<String> arguments = new ArrayList<>(List.of("run"));
        arguments.addAll(List.of(line.split(" ")));
        arguments.addAll(List.of("--warmup-times", "1", "--run-times", "1", "--device", "reference"));
        Outcome outcome = run(Map.of("PROFILE_DIR", folder.toString()), arguments);
        assertEquals(0, outcome.status(), outcome.err());
        assertTrue(outcome.out().contains("[RANK 0]"), outcome.out());
        assertTrue(Files.exists(folder.resolve("report_np1_rank0.sqlite")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"nemotron_h_a|0,1,2", "qwen3_next_a|0,1"})
    void hybridCheckpointsRunFromAFolder(String fixture, String layers) {
        Outcome outcome = run(
                "run",
                "quickstart.yaml",
                "--model",
                Fixtures.folder(fixture).toString(),
                "--load-format",
                "AUTO",
                "--layer-indices",
                layers,
                "--seq-len-kv-cache",
                "20");
        assertEquals(0, outcome.status(), outcome.err());
    }

    @Test
    void realWeightsRunFromACheckpointFolder() {
        Outcome outcome = run(
                "run",
                "quickstart.yaml",
                "--model",
                fixture().toString(),
                "--load-format",
                "AUTO",
                "--layer-indices",
                "0,1",
                "--seq-len-kv-cache",
                "20");
        assertEquals(0, outcome.status(), outcome.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "run quickstart.yaml --layer-indices 3,5|layer_indices",
                "run quickstart.yaml --layer-indices 12|layer_indices: 12 is no layer of tiny-deepseek, expected 0 to 11",
                "run quickstart.yaml --model tiny-deepsek|nearest: tiny-deepseek",
                "run quickstart.yaml --max-batch-size 2|max_batch_size 2",
                "run quickstart.yaml --device gpu|--device",
                "run quickstart.yaml --kv-cache-dtype nvfp4|nvfp4",
                "run quickstart.yaml --scaled-from 16|scaled_from 16",
                "run nowhere.yaml|nowhere.yaml",
                "run quickstart.yaml --load-format AUTO|load_format AUTO",
                "run config_gen.yaml --device auto|--device reference",
                "runn quickstart.yaml|nearest: run",
                "forward --model nowhere --layer-indices 0 --phases ctx --inputs io.safetensors|nowhere/config.json",
                "forward --layer-indices 0|--model",
            })
    void badInputIsOneLine(String command, String part) {
        assertRefused(run(command.split(" ")), part);
    }

    @Test
    void devicesTellsWhatThereIsWithOrWithoutAGpu() {
        Outcome outcome = run("devices");
        assertEquals(0, outcome.status(), outcome.err());
        assertTrue(outcome.out().lines().anyMatch(line -> line.startsWith("reference: ")), outcome.out());
        assertTrue(outcome.out().lines().anyMatch(line -> line.startsWith("cuda: ")), outcome.out());
    }

    @Test
    void gpuMetricsAreRefusedWithoutAGpuRatherThanIgnored() {
        assertRefused(
                run(Map.of("GPU_METRICS", "1"), List.of("run", "quickstart.yaml", "--device", "reference")),
                "environment: GPU_METRICS=1: expected 0 for a run without a GPU");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PROFILE", "BACKTRACE", "GPU_METRICS"})
    void switchesOfTheRecordingAreZeroOrOne(String variable) {
        assertRefused(
                run(Map.of(variable, "yes"), List.of("run", "quickstart.yaml")),
                "environment: " + variable + "=yes: expected 0 or 1");
    }

    @Test
    void aReplayIsTracedAsAGraphWithTheFramesOfEachCapture() {
        Outcome outcome = run(
                Map.of("BACKTRACE", "1", "PROFILE_DIR", folder.toString()),
                List.of("run", "quickstart.yaml", "--device", "reference", "--seq-len-kv-cache", "16"));
        assertEquals(0, outcome.status(), outcome.err());
        TraceFile trace = TraceFile.open(folder.resolve("report_np1_rank0.sqlite"));
        GpuActivities activities = trace.activities();
        GraphNodes nodes = trace.graphNodes();
        CallChains chains = trace.callChains();
        int executed = 0;
        for (int i = 0; i < activities.size(); i++) {
            if (activities.node(i) != 0) {
                int capture = nodes.captured(activities.process(i), activities.node(i));
                assertTrue(capture >= 0, "node " + activities.node(i) + " leads to no capture");
                List<String> frames = chains.at(nodes.thread(capture), nodes.start(capture));
                assertTrue(
                        frames.getFirst().startsWith("layerwise.reference.ReferenceExecution.capture"),
                        frames.toString());
                executed++;
            }
        }
        assertTrue(executed > 0, "nothing was replayed");
        assertTrue(trace.strings().containsValue("graph launch"));
    }

    @Test
    void noFramesAreRecordedUnlessAskedFor() {
        Outcome outcome = run("run", "quickstart.yaml", "--device", "reference", "--seq-len-kv-cache", "16");
        assertEquals(0, outcome.status(), outcome.err());
        assertTrue(TraceFile.open(folder.resolve("profiles/report_np1_rank0.sqlite"))
                .callChains()
                .isEmpty());
    }

    @Test
    void severalRanksAreRefusedUntilThereIsCommunication() {
        assertRefused(run(Map.of("WORLD_SIZE", "2", "RANK", "1"), List.of("run", "quickstart.yaml")), "WORLD_SIZE=2");
    }

    @Test
    void aTruncatedCheckpointIsNamed() throws IOException {
        Path copy = copyOfFixture();
        byte[] bytes = Files.readAllBytes(copy.resolve("model.safetensors"));
        Files.write(copy.resolve("model.safetensors"), Arrays.copyOf(bytes, bytes.length - 100));
        assertRefused(forward(copy, 0), "model.safetensors");
    }

    @Test
    void aWeightOfTheWrongTypeIsNamed() throws IOException {
        Path copy = copyOfFixture();
        // The same number of bytes, declared as integers.
        byte[] bytes = Files.readAllBytes(copy.resolve("model.safetensors"));
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        String changed = text.replaceFirst(
                "(\"model.layers.0.self_attn.o_proj.weight\":\\{\"dtype\":)\"BF16\"(,\"shape\":\\[)128,128",
                "$1\"I32\"$2128,64");
        assertFalse(changed.equals(text), "the header is not as expected");
        Files.write(copy.resolve("model.safetensors"), padded(changed, text.length()));
        assertRefused(forward(copy, 0), "o_proj.weight", "I32");
    }

    /** Puts back as blanks behind the header what the change took out of it. */
    private static byte[] padded(String changed, int length) {
        int end = 8 + changed.substring(8).indexOf("}}") + 2;
        String blanks = " ".repeat(length - changed.length());
        return (changed.substring(0, end) + blanks + changed.substring(end)).getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void aMissingConfigKeyIsNamed() throws IOException {
        Path copy = copyOfFixture();
        String config = Files.readString(copy.resolve("config.json"));
        Files.writeString(copy.resolve("config.json"), config.replace("\"kv_lora_rank\"", "\"kv_lora_renk\""));
        assertRefused(forward(copy, 0), "config.json", "kv_lora_rank", "nearest: kv_lora_renk");
    }

    private Outcome forward(Path model, int layer) {
        return run(
                "forward",
                "--model",
                model.toString(),
                "--layer-indices",
                Integer.toString(layer),
                "--phases",
                "ctx",
                "--inputs",
                fixture().resolve("io.safetensors").toString());
    }

    private Path copyOfFixture() throws IOException {
        Path copy = Files.createDirectories(folder.resolve("copy"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture().resolve(name), copy.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
        return copy;
    }

    private static Path fixture() {
        return Fixtures.folder("deepseek_v3_a");
    }
}
