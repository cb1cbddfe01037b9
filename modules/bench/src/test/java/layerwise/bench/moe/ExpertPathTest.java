package layerwise.bench.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import layerwise.bench.config.MoeBackend;
import layerwise.op.Activations;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.ExpertLoad;
import layerwise.op.GroupedLinear;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.op.WeightFormat;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ExpertPathTest {
    private static ExpertPath of(MoeBackend asked, WeightFormat format) {
        return ExpertPath.of("c.yaml: moe_backend", asked, Optional.of(format));
    }

    @ParameterizedTest
    @CsvSource({
        "CUTLASS, BF16, CUTLASS",
        "CUTLASS, NVFP4, CUTLASS",
        "TRTLLM, FP8_BLOCK, TRTLLM",
        "TRTLLM, BF16, CUTLASS",
        "CUTEDSL, NVFP4, CUTEDSL",
        "CUTEDSL, BF16, CUTLASS",
        "MARLIN, NVFP4, MARLIN",
        "MARLIN, FP8_BLOCK, CUTLASS",
        "DEEPGEMM, FP8_BLOCK, DEEPGEMM",
        "WIDEEP, BF16, WIDEEP",
        "VANILLA, F32, VANILLA"
    })
    void backendsThatDoNotTakeAFormatSayWhatRuns(MoeBackend asked, WeightFormat format, MoeBackend runs) {
        ExpertPath path = of(asked, format);
        assertEquals(runs, path.runs());
        assertEquals(asked != runs, path.reason().isPresent());
    }

    @Test
    void theLineNamesBothBackendsAndTheReason() {
        assertEquals(
                "TRTLLM, runs as CUTLASS (TRTLLM takes no bf16 experts): gated activations in the first product",
                of(MoeBackend.TRTLLM, WeightFormat.BF16).toString());
        assertEquals(
                "VANILLA: a product for each expert",
                of(MoeBackend.VANILLA, WeightFormat.BF16).toString());
    }

    @Test
    void deepGemmRefusesOtherFormats() {
        ConfigException refused =
                assertThrows(ConfigException.class, () -> of(MoeBackend.DEEPGEMM, WeightFormat.NVFP4));
        assertEquals(
                "c.yaml: moe_backend: DEEPGEMM: expected experts in fp8_block, these are nvfp4; CUTLASS takes every format",
                refused.getMessage());
    }

    @ParameterizedTest
    @EnumSource(MoeBackend.class)
    void withoutExpertsEveryBackendRunsAsItself(MoeBackend backend) {
        assertEquals(
                backend, ExpertPath.of("moe_backend", backend, Optional.empty()).runs());
    }

    @Test
    void launchesAreThoseThatTheBackendStandsFor() {
        Program step = step();
        Capabilities all = Capabilities.all();
        assertEquals(
                List.of("GatedGroupedLinear"),
                names(of(MoeBackend.TRTLLM, WeightFormat.NVFP4).apply(step, all)));
        assertEquals(
                List.of("GroupedLinear", "SwiGlu"),
                names(of(MoeBackend.MARLIN, WeightFormat.NVFP4).apply(step, all)));
        assertEquals(
                List.of("GroupedLinear", "GroupedLinear", "GroupedLinear", "SwiGlu"),
                names(of(MoeBackend.VANILLA, WeightFormat.NVFP4).apply(step, all)));
    }

    private static List<String> names(Program program) {
        return program.operators().stream().map(Operator::name).toList();
    }

    private static TensorRef bf16(String name, long... dims) {
        return Buffer.of(name, DType.BF16, dims).whole();
    }

    private static Program step() {
        TensorRef offsets = Buffer.of("offsets", DType.I32, 4).whole();
        GroupedLinear linear = new GroupedLinear(
                Activations.plain(bf16("x", 6, 16)),
                offsets,
                Weight.plain(bf16("w", 3, 8, 16)),
                bf16("both", 6, 8),
                new ExpertLoad(6, 3));
        SwiGlu gate = new SwiGlu(linear.y(), Optional.of(offsets), bf16("y", 6, 4));
        return Program.builder().launch(linear).launch(gate).build(List.of(gate.y()));
    }
}
