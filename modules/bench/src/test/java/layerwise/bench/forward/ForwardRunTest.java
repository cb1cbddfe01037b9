package layerwise.bench.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import layerwise.bench.fixture.Fixtures;
import layerwise.model.parallel.Mapping;
import layerwise.op.Capabilities;
import layerwise.op.Executor;
import layerwise.op.Journal;
import layerwise.reference.ReferenceExecutor;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.WrongResultException;
import layerwise.tensor.safetensors.SafetensorsFile;
import layerwise.tensor.safetensors.SafetensorsWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers against activations that Hugging Face transformers computed. */
class ForwardRunTest {
    private static final List<String> PHASES = List.of("ctx", "gen1", "gen4");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "deepseek_v3_a,F32,2e-5",
        "deepseek_v3_c,F32,2e-5",
        "deepseek_v3_a,BF16,2e-2",
        "deepseek_v3_c,BF16,2e-2",
        "deepseek_v32_a,F32,2e-5",
        "deepseek_v32_c,F32,2e-5",
        "deepseek_v32_a,BF16,3e-2",
        "deepseek_v32_c,BF16,3e-2"
    })
    void plainAndFusedOperatorsMatchTransformers(String fixture, DType compute, double tolerance) {
        for (Capabilities capabilities : List.of(Capabilities.plain(), Capabilities.all())) {
            String text = run(options(fixture, List.of(0, 1), PHASES, compute, tolerance), capabilities);
            assertEquals(
                    18,
                    text.lines()
                            .filter(line -> !line.contains(".choice ") && line.contains("  ok"))
                            .count(),
                    text);
        }
    }

    @ParameterizedTest
    @CsvSource({"nemotron_h_a,2", "nemotron_h_c,2", "qwen3_next_a,1", "qwen3_next_c,1"})
    void hybridModelsMatchTransformers(String fixture, int last) {
        List<Integer> layers = IntStream.rangeClosed(0, last).boxed().toList();
        for (Capabilities capabilities : List.of(Capabilities.plain(), Capabilities.all())) {
            String text = run(options(fixture, layers, PHASES, DType.F32, 2e-5), capabilities);
            // Three layers of one half leave two tensors each, two layers of two halves three.
            assertEquals(18, text.lines().filter(line -> line.contains("  ok")).count(), text);
        }
    }

    /** One by one: a token that rounding sends to other experts would bring others a wrong key and value in the next. */
    @ParameterizedTest
    @CsvSource({"nemotron_h_a,2", "nemotron_h_c,2", "qwen3_next_a,1", "qwen3_next_c,1"})
    void hybridLayersMatchTransformersInBfloat16(String fixture, int last) {
        for (int layer = 0; layer <= last; layer++) {
            run(options(fixture, List.of(layer), PHASES, DType.BF16, 2e-2), Capabilities.all());
        }
    }

    @ParameterizedTest
    @CsvSource({"nemotron_h_a,0", "nemotron_h_a,1", "nemotron_h_a,2", "qwen3_next_a,0", "qwen3_next_a,1"})
    void oneHybridLayerAloneMatchesToo(String fixture, int layer) {
        run(options(fixture, List.of(layer), PHASES, DType.F32, 2e-5), Capabilities.plain());
    }

    @ParameterizedTest
    @CsvSource({"nemotron_h_a,2", "qwen3_next_a,1"})
    void chunksOverACarriedStateEqualDecode(String fixture, int last) {
        List<Integer> layers = IntStream.rangeClosed(0, last).boxed().toList();
        Path decoded = folder.resolve("decoded.safetensors");
        run(writing(fixture, layers, decoded), Capabilities.plain());
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile inputs =
                    SafetensorsFile.open(Fixtures.folder(fixture).resolve("io.safetensors"), arena);
            LinkedHashMap<String, HostTensor> renamed = new LinkedHashMap<>();
            renamed.put("ctx.layers.0.input", inputs.tensor("ctx.layers.0.input"));
            renamed.put("ctx1.layers.0.input", inputs.tensor("gen1.layers.0.input"));
            renamed.put("ctx4.layers.0.input", inputs.tensor("gen4.layers.0.input"));
            Path file = folder.resolve("io.safetensors");
            SafetensorsWriter.write(file, renamed, new LinkedHashMap<>());
            Path chunked = folder.resolve("chunked.safetensors");
            run(
                    new ForwardOptions(
                            Fixtures.folder(fixture),
                            layers,
                            List.of("ctx", "ctx1", "ctx4"),
                            file,
                            Optional.of(chunked),
                            DType.F32,
                            Optional.empty(),
                            1),
                    Capabilities.plain());
            SafetensorsFile a = SafetensorsFile.open(chunked, arena);
            SafetensorsFile b = SafetensorsFile.open(decoded, arena);
            String output = ".layers." + last + ".output";
            double relative = Difference.of(a.tensor("ctx4" + output), b.tensor("gen4" + output), new boolean[0])
                    .relative();
            assertTrue(relative < 2e-6, "relative error " + relative);
        }
    }

    @Test
    void anIndexerInFp8SwapsOnlyPositionsWithNearlyEqualScores() {
        String text = run(options("deepseek_v32_c", List.of(0, 1), PHASES, DType.BF16, 3e-2), Capabilities.plain());
        List<String> choices =
                text.lines().filter(line -> line.contains(".choice ")).toList();
        assertEquals(3, choices.size(), text);
        int swapped = 0;
        for (String choice : choices) {
            assertTrue(choice.endsWith("  ok"), text);
            swapped += Integer.parseInt(choice.split(" +")[1]);
        }
        assertTrue(swapped > 0, "FP8 chose exactly; nothing was tested");
    }

    @Test
    void worseChoicesThanFp8ExplainsAreWrong() {
        SelectionJudge judge = new SelectionJudge();
        float[] scores = {5, 1, 4, 3.9f, 0};
        judge.judge("exact", scores, new int[] {2, 0}, 0);
        judge.judge("near tie", scores, new int[] {3, 0}, 0.2);
        judge.judge("short", new float[] {7}, new int[] {0, -1}, 0);
        assertEquals(List.of(), judge.wrong());
        assertEquals(1, judge.swapped());
        judge.judge("worse", scores, new int[] {1, 0}, 0.2);
        judge.judge("twice", scores, new int[] {0, 0}, 0.2);
        judge.judge("missing", scores, new int[] {0, -1}, 0.2);
        judge.judge("outside", scores, new int[] {0, 5}, 0.2);
        assertEquals(4, judge.wrong().size());
        assertEquals(
                "worse: position 1 has 1.000, the border is 4.000, FP8 explains 0.20",
                judge.wrong().getFirst());
    }

    @Test
    void fusedOperatorsAgreeWithPlainOnes() {
        Path plain = folder.resolve("plain.safetensors");
        Path fused = folder.resolve("fused.safetensors");
        run(writing("deepseek_v3_a", plain), Capabilities.plain());
        run(writing("deepseek_v3_a", fused), Capabilities.all());
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile expected = SafetensorsFile.open(plain, arena);
            SafetensorsFile actual = SafetensorsFile.open(fused, arena);
            assertEquals(expected.names(), actual.names());
            for (String name : expected.names()) {
                double relative = Difference.of(actual.tensor(name), expected.tensor(name), new boolean[0])
                        .relative();
                assertTrue(relative <= 4 * 0x1p-23, name + " " + relative);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void oneLayerAloneMatchesToo(int layer) {
        run(options("deepseek_v3_a", List.of(layer), List.of("ctx"), DType.F32, 2e-5), Capabilities.plain());
    }

    @Test
    void prefillOverACachedPrefixEqualsDecode() {
        // gen4 brings four tokens a sequence; as a prefill step they are expanded over the gathered prefix.
        Path decoded = folder.resolve("decoded.safetensors");
        run(writing("deepseek_v3_a", decoded), Capabilities.plain());
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile inputs =
                    SafetensorsFile.open(Fixtures.folder("deepseek_v3_a").resolve("io.safetensors"), arena);
            LinkedHashMap<String, HostTensor> renamed = new LinkedHashMap<>();
            renamed.put("ctx.layers.0.input", inputs.tensor("ctx.layers.0.input"));
            renamed.put("ctx1.layers.0.input", inputs.tensor("gen1.layers.0.input"));
            renamed.put("ctx4.layers.0.input", inputs.tensor("gen4.layers.0.input"));
            Path file = folder.resolve("io.safetensors");
            SafetensorsWriter.write(file, renamed, new LinkedHashMap<>());
            Path expanded = folder.resolve("expanded.safetensors");
            run(
                    new ForwardOptions(
                            Fixtures.folder("deepseek_v3_a"),
                            List.of(0, 1),
                            List.of("ctx", "ctx1", "ctx4"),
                            file,
                            Optional.of(expanded),
                            DType.F32,
                            Optional.empty(),
                            1),
                    Capabilities.plain());
            SafetensorsFile a = SafetensorsFile.open(expanded, arena);
            SafetensorsFile b = SafetensorsFile.open(decoded, arena);
            double relative = Difference.of(
                            a.tensor("ctx4.layers.1.output"), b.tensor("gen4.layers.1.output"), new boolean[0])
                    .relative();
            assertTrue(relative < 2e-6, "relative error " + relative);
        }
    }

    @Test
    void aWrongTensorIsNamedAndRefused() {
        ForwardOptions strict = options("deepseek_v3_a", List.of(0), List.of("ctx"), DType.BF16, 1e-6);
        WrongResultException e = assertThrows(WrongResultException.class, () -> run(strict, Capabilities.plain()));
        assertTrue(e.getMessage().contains("ctx.layers.0.output"), e.getMessage());
    }

    private static ForwardOptions writing(String fixture, Path output) {
        return writing(fixture, List.of(0, 1), output);
    }

    private static ForwardOptions writing(String fixture, List<Integer> layers, Path output) {
        return new ForwardOptions(
                Fixtures.folder(fixture),
                layers,
                PHASES,
                Fixtures.folder(fixture).resolve("io.safetensors"),
                Optional.of(output),
                DType.F32,
                Optional.empty(),
                1);
    }

    private static ForwardOptions options(
            String fixture, List<Integer> layers, List<String> phases, DType compute, double tolerance) {
        Path io = Fixtures.folder(fixture).resolve("io.safetensors");
        return new ForwardOptions(
                Fixtures.folder(fixture), layers, phases, io, Optional.empty(), compute, Optional.of(io), tolerance);
    }

    static String run(ForwardOptions options, Capabilities capabilities) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (Executor executor = new ReferenceExecutor(Journal.NONE, capabilities);
                PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8)) {
            new ForwardRun(options, Mapping.alone(), executor, out).run();
        }
        return text.toString(StandardCharsets.UTF_8);
    }
}
