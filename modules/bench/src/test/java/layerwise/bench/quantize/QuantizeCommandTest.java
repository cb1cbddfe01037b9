package layerwise.bench.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import layerwise.bench.estimate.EstimateRun;
import layerwise.bench.fixture.Fixtures;
import layerwise.bench.forward.ForwardCommand;
import layerwise.bench.run.RunCommand;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import layerwise.tensor.safetensors.SafetensorsFile;
import layerwise.tensor.safetensors.SafetensorsFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that were converted are loaded and run, as files from elsewhere would be. */
class QuantizeCommandTest {
    /** What the small fixture's shapes do not let FP8 stack. */
    private static final String NARROW = "*.self_attn.*,*.mlp.gate_proj,*.mlp.up_proj,*.experts.*,*.shared_experts.*";

    @TempDir
    Path folder;

    private static Path fixture() {
        return Fixtures.folder("deepseek_v3_a");
    }

    private Path quantize(String model, String format, String target, String... more) {
        Path output = folder.resolve(target);
        List<String> arguments = new ArrayList<>(
                List.of("--model", model, "--layer-indices", "0,1", "--format", format, "--output", output.toString()));
        arguments.addAll(List.of(more));
        QuantizeCommand.run(arguments, quiet());
        return output;
    }

    private static PrintStream quiet() {
        return new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    }

    /** What the layers leave of the fixture's inputs. */
    private Map<String, float[]> forward(Path model) {
        Path output = folder.resolve("out-" + model.getFileName() + ".safetensors");
        String line = "--model %s --layer-indices 0,1 --phases ctx,gen1 --inputs %s --output %s --device reference"
                .formatted(model, fixture().resolve("io.safetensors"), output);
        ForwardCommand.run(List.of(line.split(" ")), Map.of(), quiet(), quiet());
        Map<String, float[]> results = new TreeMap<>();
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.open(output, arena);
            file.names().forEach(name -> results.put(name, file.tensor(name).copyToFloats()));
        }
        return results;
    }

    private static double relative(float[] a, float[] b) {
        double error = 0;
        double size = 0;
        for (int i = 0; i < a.length; i++) {
            error += (a[i] - b[i]) * (double) (a[i] - b[i]);
            size += (double) b[i] * b[i];
        }
        return Math.sqrt(error / size);
    }

    /** The first layer is dense, so that no router's choice turns a rounding into another expert. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"nvfp4|*.self_attn.q*,*.self_attn.kv*|0.3", "fp8|" + NARROW + "|0.06"})
    void convertedLayersLoadAndTheirReverseComputesTheSame(String format, String excluded, double change) {
        Path quantized = quantize(fixture().toString(), format, format, "--exclude", excluded);
        Path reversed = quantize(quantized.toString(), "bf16", "reversed");
        Map<String, float[]> original = forward(fixture());
        Map<String, float[]> ours = forward(quantized);
        Map<String, float[]> theirs = forward(reversed);
        for (String name : ours.keySet()) {
            if (name.contains("layers.0.")) {
                assertTrue(relative(ours.get(name), theirs.get(name)) < 5e-3, name);
                double moved = relative(ours.get(name), original.get(name));
                assertTrue(moved < change, name + " " + moved);
                assertTrue(moved > 1e-4 || (format.equals("fp8") && name.endsWith("mixer")), name + " did not change");
            }
        }
    }

    @Test
    void theReverseIsTheRoundedProductOfCodesAndScales() {
        Path quantized = quantize(fixture().toString(), "nvfp4", "nvfp4");
        Path reversed = quantize(quantized.toString(), "bf16", "reversed");
        String module = "model.layers.1.mlp.experts.3.down_proj.weight";
        try (Arena arena = Arena.ofShared()) {
            SafetensorsFolder from = SafetensorsFolder.open(quantized, arena);
            HostTensor codes =
                    from.tensor(module, Shape.of(128, 16), Set.of(DType.I8)).reinterpret(DType.E2M1, 128, 32);
            HostTensor scales = from.tensor(module + "_scale");
            float whole = from.tensor(module + "_scale_2").get();
            HostTensor plain = SafetensorsFolder.open(reversed, arena).tensor(module);
            for (int n = 0; n < 128; n++) {
                for (int k = 0; k < 32; k++) {
                    float exact = codes.get(n, k) * scales.get(n, k / 16) * whole;
                    HostTensor rounded = HostTensor.copyOf(arena, DType.BF16, Shape.of(1), exact);
                    assertEquals(rounded.get(0), plain.get(n, k), n + "," + k);
                }
            }
        }
    }

    @Test
    void plainTensorsAreCopiedBitForBit() {
        Path copy = quantize(fixture().toString(), "bf16", "copy");
        try (Arena arena = Arena.ofShared()) {
            SafetensorsFolder ours = SafetensorsFolder.open(copy, arena);
            SafetensorsFolder theirs = SafetensorsFolder.open(fixture(), arena);
            assertEquals(Set.copyOf(theirs.names()), Set.copyOf(ours.names()));
            for (String name : ours.names()) {
                assertEquals(theirs.tensor(name).toString(), ours.tensor(name).toString(), name);
                assertEquals(
                        -1,
                        ours.tensor(name).memory().mismatch(theirs.tensor(name).memory()),
                        name);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bf16", "fp8", "nvfp4"})
    void madeUpLayersOfAShippedModelRunInSeveralFiles(String format) throws IOException {
        Path model =
                quantize("tiny-deepseek", format, "made-" + format, "--random", "7", "--max-file-bytes", "2000000");
        assertTrue(Files.exists(model.resolve("model.safetensors.index.json")));
        String line =
                "quickstart.yaml --model %s --load-format AUTO --layer-indices 0,1 --seq-len-kv-cache 16 --run-times 1 --device reference"
                        .formatted(model);
        RunCommand.run(
                List.of(line.split(" ")),
                Map.of("PROFILE", "0", "PROFILE_DIR", folder.toString()),
                quiet(),
                quiet(),
                EstimateRun::run);
    }

    @Test
    void theSameSeedMakesTheSameBytes() throws IOException {
        Path one = quantize("tiny-deepseek", "nvfp4", "one", "--random", "7");
        Path other = quantize("tiny-deepseek", "nvfp4", "other", "--random", "7");
        Path another = quantize("tiny-deepseek", "nvfp4", "another", "--random", "8");
        String name = "model.safetensors";
        assertEquals(-1, Files.mismatch(one.resolve(name), other.resolve(name)));
        assertTrue(Files.mismatch(one.resolve(name), another.resolve(name)) > 0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--model tiny-deepseek --format fp8|--model 'tiny-deepseek': expected a checkpoint folder, or --random",
                "--model tiny-deepsek --format fp8 --random 1|nearest: tiny-deepseek",
                "--model tiny-deepseek --format fp4 --random 1|expected bf16, fp8 or nvfp4, got 'fp4'",
                "--model tiny-deepseek --format fp8 --random x|--random: expected a number, got 'x'",
                "--model tiny-deepseek --format fp8 --random 1 --layer-indices 99|layer_indices: 99 is no layer",
            })
    void badInputIsOneLine(String line, String message) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(line.split(" ")));
        arguments.addAll(List.of("--output", folder.resolve("x").toString()));
        if (!line.contains("--layer-indices")) {
            arguments.addAll(List.of("--layer-indices", "0"));
        }
        ConfigException e = assertThrows(ConfigException.class, () -> QuantizeCommand.run(arguments, quiet()));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        try (Stream<Path> files = Files.walk(folder)) {
            assertTrue(files.noneMatch(file -> file.toString().contains("safetensors")), "left files behind");
        }
    }

    @Test
    void aFolderWithACheckpointIsNotOverwritten() {
        Path first = quantize("tiny-deepseek", "bf16", "x", "--random", "1");
        ConfigException e = assertThrows(
                ConfigException.class, () -> quantize("tiny-deepseek", "bf16", first.toString(), "--random", "1"));
        assertTrue(
                e.getMessage().contains("expected a folder without a checkpoint, found model.safetensors"),
                e.getMessage());
    }
}
