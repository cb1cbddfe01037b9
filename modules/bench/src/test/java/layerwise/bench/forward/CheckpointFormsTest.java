package layerwise.bench.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import layerwise.bench.fixture.Fixtures;
import layerwise.op.Capabilities;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Checkpoints in every form of folder, and ones that are not what the layers need. */
class CheckpointFormsTest {
    private static final String FIXTURE = "deepseek_v3_a";
    private static final String ATTENTION = "model.layers.0.self_attn.";
    private static final String EXPERT = "model.layers.1.mlp.experts.7.";

    @TempDir
    Path folder;

    private static ForwardOptions options(Path model) {
        Path io = Fixtures.folder(FIXTURE).resolve("io.safetensors");
        return new ForwardOptions(
                model, List.of(0, 1), List.of("ctx", "gen1"), io, Optional.empty(), DType.F32, Optional.of(io), 2e-5);
    }

    private Path copy(CheckpointCopy.Form form, Arena arena, Consumer<SequencedMap<String, HostTensor>> change) {
        return CheckpointCopy.write(Fixtures.folder(FIXTURE), folder.resolve("copy"), form, arena, change);
    }

    @ParameterizedTest
    @EnumSource
    void everyFormOfFolderMatchesTransformers(CheckpointCopy.Form form) {
        try (Arena arena = Arena.ofShared()) {
            String text = ForwardRunTest.run(options(copy(form, arena, tensors -> {})), Capabilities.all());
            assertEquals(12, text.lines().filter(line -> line.contains("  ok")).count(), text);
        }
    }

    /** A change, and what the one line must say. */
    static Stream<Arguments> faults() {
        return Stream.of(
                fault(
                        "missing",
                        "no tensor '" + EXPERT + "up_proj.weight' among ",
                        tensors -> tensors.remove(EXPERT + "up_proj.weight")),
                fault(
                        "surplus",
                        "tensor '" + ATTENTION + "o_proj.bias' is in a layer that has no use for it",
                        tensors -> tensors.put(ATTENTION + "o_proj.bias", zeros(DType.BF16, 128))),
                fault(
                        "another expert",
                        "tensor 'model.layers.1.mlp.experts.8.up_proj.weight' is in a layer",
                        tensors -> tensors.put(
                                "model.layers.1.mlp.experts.8.up_proj.weight", tensors.get(EXPERT + "up_proj.weight"))),
                fault(
                        "wrong shape",
                        "tensor '" + ATTENTION + "o_proj.weight' is BF16 [64,256], expected [",
                        tensors -> tensors.computeIfPresent(
                                ATTENTION + "o_proj.weight", (name, tensor) -> tensor.reshape(64, 256))),
                fault(
                        "NaN",
                        "tensor '" + EXPERT + "up_proj.weight' has a NaN or an infinity, element 77 ",
                        tensors -> damage(tensors, EXPERT + "up_proj.weight", 77, Float.NaN)),
                fault(
                        "infinity",
                        "tensor 'model.layers.1.mlp.gate.e_score_correction_bias' has a NaN or an infinity, element 5 ",
                        tensors -> damage(
                                tensors,
                                "model.layers.1.mlp.gate.e_score_correction_bias",
                                5,
                                Float.NEGATIVE_INFINITY)));
    }

    private static Arguments fault(String what, String message, Consumer<SequencedMap<String, HostTensor>> change) {
        return Arguments.of(what, message, change);
    }

    private static HostTensor zeros(DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        return HostTensor.copyOf(Arena.ofAuto(), dtype, shape, new float[(int) shape.elements()]);
    }

    private static void damage(SequencedMap<String, HostTensor> tensors, String name, int at, float value) {
        tensors.computeIfPresent(name, (key, tensor) -> {
            float[] values = tensor.copyToFloats();
            values[at] = value;
            return HostTensor.copyOf(Arena.ofAuto(), tensor.dtype(), tensor.shape(), values);
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void aTensorThatIsNotAsTheLayersNeedItIsNamed(
            String what, String message, Consumer<SequencedMap<String, HostTensor>> change) {
        try (Arena arena = Arena.ofShared()) {
            Path model = copy(CheckpointCopy.Form.SINGLE, arena, change);
            ConfigException e =
                    assertThrows(ConfigException.class, () -> ForwardRunTest.run(options(model), Capabilities.plain()));
            assertTrue(e.getMessage().contains(message), e.getMessage());
            assertTrue(e.getMessage().startsWith(model.toString()), e.getMessage());
        }
    }

    @Test
    void scalesOfActivationsAndOtherLayersAreNoSurplus() {
        try (Arena arena = Arena.ofShared()) {
            Path model = copy(CheckpointCopy.Form.SINGLE, arena, tensors -> {
                HostTensor scale = zeros(DType.F32);
                for (String name : Arrays.asList(
                        ATTENTION + "o_proj.input_scale", "model.layers.10.mlp.up_proj.weight", "lm_head.weight")) {
                    tensors.put(name, scale);
                }
            });
            ForwardRunTest.run(options(model), Capabilities.plain());
        }
    }
}
