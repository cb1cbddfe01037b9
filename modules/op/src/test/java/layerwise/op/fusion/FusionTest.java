package layerwise.op.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import layerwise.op.Activations;
import layerwise.op.Add;
import layerwise.op.Buffer;
import layerwise.op.Capabilities;
import layerwise.op.Combine;
import layerwise.op.ExpertLoad;
import layerwise.op.FusionRule;
import layerwise.op.GroupedLinear;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RmsNorm;
import layerwise.op.RoundRows;
import layerwise.op.ScaleFormat;
import layerwise.op.SortByExpert;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

class FusionTest {
    private static TensorRef f32(String name, long... dims) {
        return Buffer.of(name, DType.F32, dims).whole();
    }

    private static TensorRef bf16(String name, long... dims) {
        return Buffer.of(name, DType.BF16, dims).whole();
    }

    private static TensorRef i32(String name, long... dims) {
        return Buffer.of(name, DType.I32, dims).whole();
    }

    private final Add add = new Add(f32("x", 2, 4), f32("r", 2, 4), f32("sum", 2, 4));
    private final RmsNorm norm = new RmsNorm(f32("sum", 2, 4), f32("gain", 4), f32("y", 2, 4), 1e-6);

    private static List<String> names(Program program) {
        return program.operators().stream().map(Operator::name).toList();
    }

    @Test
    void addAndNormOfTheSumBecomeOne() {
        Program program = Program.builder().launch(add).launch(norm).build(List.of(norm.y(), add.y()));
        Program fused = Fusion.apply(program, Capabilities.all());
        assertEquals(List.of("AddRmsNorm"), names(fused));
        assertEquals(List.of(add.y(), norm.y()), fused.operators().getFirst().outputs());
        assertEquals(program.outputs(), fused.outputs());
    }

    @Test
    void nothingFusesUnlessAskedFor() {
        Program program = Program.builder().launch(add).launch(norm).build(List.of(norm.y()));
        assertEquals(program, Fusion.apply(program, Capabilities.plain()));
        Capabilities other = new Capabilities(Set.of(FusionRule.GATED_GROUPED_LINEAR));
        assertEquals(program, Fusion.apply(program, other));
    }

    @Test
    void nothingFusesAcrossTheEndOfARange() {
        Program.Builder builder = Program.builder();
        Program program =
                builder.range("R", () -> builder.launch(add)).launch(norm).build(List.of(norm.y()));
        assertEquals(List.of("Add", "RmsNorm"), names(Fusion.apply(program, Capabilities.all())));
    }

    @Test
    void nothingFusesAcrossLanes() {
        Program.Builder builder = Program.builder();
        Program program = builder.concurrently(() -> builder.launch(add), () -> builder.launch(norm))
                .build(List.of(norm.y()));
        assertEquals(List.of("Add", "RmsNorm"), names(Fusion.apply(program, Capabilities.all())));
    }

    @Test
    void expertsFuseGateAndCombineAndKeepTheirPlan() {
        assertEquals(
                List.of("SortByExpert", "GatedGroupedLinear", "GroupedLinearCombine"),
                names(Fusion.apply(experts(List.of()), Capabilities.all())));
    }

    @Test
    void anIntermediateThatIsReadElsewhereStays() {
        assertEquals(
                List.of("SortByExpert", "GroupedLinear", "SwiGlu", "GroupedLinearCombine"),
                names(Fusion.apply(experts(List.of(f32("both", 6, 8))), Capabilities.all())));
    }

    private static Program rounding(List<TensorRef> outputs, Optional<TensorRef> active) {
        TensorRef offsets = i32("offsets", 4);
        TensorRef gated = bf16("gated", 6, 16);
        Activations rounded = Activations.rounded("rounded", 6, 16);
        return Program.builder()
                .launch(new SwiGlu(bf16("both", 6, 32), Optional.of(offsets), gated))
                .launch(new RoundRows(gated, active, rounded, ScaleFormat.UE8M0, 6))
                .build(outputs);
    }

    @Test
    void aGateRoundsItsResultWhereNobodyElseReadsIt() {
        Optional<TensorRef> offsets = Optional.of(i32("offsets", 4));
        assertEquals(List.of("SwiGluRoundRows"), names(Fusion.apply(rounding(List.of(), offsets), Capabilities.all())));
        List<String> apart = List.of("SwiGlu", "RoundRows");
        List<TensorRef> read = List.of(bf16("gated", 6, 16));
        assertEquals(apart, names(Fusion.apply(rounding(read, offsets), Capabilities.all())));
        assertEquals(
                apart, names(Fusion.apply(rounding(List.of(), Optional.empty()), Capabilities.all())), "more rows");
    }

    private static Program experts(List<TensorRef> outputs) {
        TensorRef offsets = i32("offsets", 4);
        TensorRef slots = i32("slots", 3, 2);
        ExpertLoad load = new ExpertLoad(6, 3);
        return Program.builder()
                .launch(new SortByExpert(i32("ids", 3, 2), offsets, i32("pairs", 6), slots, 0))
                .launch(new GroupedLinear(
                        Activations.plain(f32("rows", 6, 5)),
                        offsets,
                        Weight.plain(f32("w1", 3, 8, 5)),
                        f32("both", 6, 8),
                        load))
                .launch(new SwiGlu(f32("both", 6, 8), Optional.of(offsets), f32("gated", 6, 4)))
                .launch(new GroupedLinear(
                        Activations.plain(f32("gated", 6, 4)),
                        offsets,
                        Weight.plain(f32("w2", 3, 5, 4)),
                        f32("out", 6, 5),
                        load))
                .launch(new Combine(f32("out", 6, 5), slots, f32("weights", 3, 2), f32("y", 3, 5)))
                .build(outputs);
    }
}
