package layerwise.model.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import layerwise.op.Batch;
import layerwise.op.Capabilities;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.fusion.Fusion;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which operators layers emit, in which ranges, and what fusion leaves of them. */
class OperatorSequenceTest {
    @Test
    void nemotronsLayersAddAndNormaliseBeforeTheirMixerAndEndWithIt() {
        Program program = Fusion.apply(
                SlicedModel.of("tiny-nemotron", List.of(4, 5, 6), Phase.GENERATION, Batch.uniform(2, 1, 4), DType.BF16)
                        .program(),
                Capabilities.all());
        assertEquals(
                List.of(
                        "AddRmsNorm",
                        "Linear",
                        "CausalConv1d",
                        "SsdStateUpdate",
                        "GatedRmsNorm",
                        "Linear",
                        "AddRmsNorm",
                        "Linear",
                        "LatentAppend",
                        "GqaDecodeAttention",
                        "Linear",
                        "AddRmsNorm",
                        "Linear",
                        "Route",
                        "SortByExpert",
                        "GatherRows",
                        "GroupedLinear",
                        "SquaredRelu",
                        "GroupedLinearCombine",
                        "Linear",
                        "SquaredRelu",
                        "Linear",
                        "Add"),
                program.operators().stream().map(Operator::name).toList());
    }

    @Test
    void qwensLayersEndWithTheNextNorm() {
        Program program = Fusion.apply(
                SlicedModel.of("tiny-qwen3-next", List.of(6, 7), Phase.CONTEXT, Batch.uniform(2, 3, 0), DType.BF16)
                        .program(),
                Capabilities.all());
        List<String> moe = List.of(
                "AddRmsNorm",
                "Linear",
                "Route",
                "SortByExpert",
                "GatherRows",
                "GatedGroupedLinear",
                "GroupedLinearCombine",
                "Linear",
                "SwiGlu",
                "Linear",
                "Linear",
                "SigmoidGate",
                "Add",
                "AddRmsNorm");
        List<String> expected = new ArrayList<>(
                List.of("Linear", "Linear", "CausalConv1d", "L2Norm", "DeltaRuleChunkScan", "GatedRmsNorm", "Linear"));
        expected.addAll(moe);
        expected.addAll(List.of(
                "Linear",
                "RmsNorm",
                "RmsNorm",
                "Rotary",
                "Rotary",
                "LatentAppend",
                "GqaPrefillAttention",
                "SigmoidGate",
                "Linear"));
        expected.addAll(moe);
        assertEquals(expected, program.operators().stream().map(Operator::name).toList());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tiny-deepseek|2,3|/MLA /GatedMLP /MLA /Deepseekv3MoE /Deepseekv3MoE/DeepseekV3Gate /Deepseekv3MoE/MoE /Deepseekv3MoE/GatedMLP",
                "tiny-nemotron|4,5,6|/Mamba2Mixer /Attention /NemotronHMOE /NemotronHMOE/DeepseekV3Gate /NemotronHMOE/MoE",
                "tiny-nemotron|12|/MLPLayer",
                "tiny-qwen3-next|6,7|/Qwen3NextGatedDeltaNet /Qwen3NextSparseMoeBlock /Qwen3NextSparseMoeBlock/MoE /Qwen3NextSparseMoeBlock/GatedMLP /Attention /Qwen3NextSparseMoeBlock /Qwen3NextSparseMoeBlock/MoE /Qwen3NextSparseMoeBlock/GatedMLP",
            })
    void rangesAreTheReferencesModules(String model, String layers, String expected) {
        List<Integer> indices =
                Arrays.stream(layers.split(",")).map(Integer::valueOf).toList();
        Program program = SlicedModel.of(model, indices, Phase.GENERATION, Batch.uniform(2, 1, 4), DType.BF16)
                .program();
        List<String> paths = new ArrayList<>();
        String path = "";
        for (Step step : program.steps()) {
            switch (step) {
                case Step.Enter enter -> {
                    path = path + "/" + enter.range();
                    paths.add(path);
                }
                case Step.Leave leave -> path = path.substring(0, path.lastIndexOf('/'));
                case Step.Launch launch -> {}
                case Step.Fork fork -> {}
                case Step.Join join -> {}
            }
        }
        assertEquals(expected, String.join(" ", paths));
    }

    @Test
    void fusionLeavesOneOperatorWhereEnginesLaunchOneKernel() {
        Program program = Fusion.apply(
                SlicedModel.of("tiny-deepseek", List.of(3), Phase.GENERATION, Batch.uniform(2, 1, 4), DType.BF16)
                        .program(),
                Capabilities.all());
        assertEquals(
                List.of(
                        "Linear",
                        "RmsNorm",
                        "Linear",
                        "HeadLinear",
                        "MlaRopeAppend",
                        "MlaDecodeAttention",
                        "HeadLinear",
                        "Linear",
                        "AddRmsNorm",
                        "Linear",
                        "Route",
                        "SortByExpert",
                        "GatherRows",
                        "GatedGroupedLinear",
                        "GroupedLinearCombine",
                        "Linear",
                        "SwiGlu",
                        "Linear",
                        "Add",
                        "AddRmsNorm"),
                program.operators().stream().map(Operator::name).toList());
    }

    @Test
    void cachedPrefixIsGatheredAndExpanded() {
        Batch batch = Batch.uniform(2, 3, 5);
        Program program = SlicedModel.of("tiny-deepseek", List.of(0), Phase.CONTEXT, batch, DType.BF16)
                .program();
        assertTrue(program.operators().stream().anyMatch(op -> op.name().equals("LatentGather")));
        Program fresh = SlicedModel.of("tiny-deepseek", List.of(0), Phase.CONTEXT, Batch.uniform(2, 3, 0), DType.BF16)
                .program();
        assertTrue(fresh.operators().stream().noneMatch(op -> op.name().equals("LatentGather")));
    }

    private static List<String> experts(String model) {
        Program program = SlicedModel.of(model, List.of(5), Phase.CONTEXT, Batch.uniform(1, 64, 0), DType.BF16)
                .program();
        List<String> names = program.operators().stream().map(Operator::name).toList();
        return names.subList(names.indexOf("SortByExpert"), names.indexOf("Combine"));
    }

    @Test
    void tokensOfFp8ExpertsAreRoundedBeforeTheyAreGathered() {
        assertEquals(
                List.of(
                        "SortByExpert",
                        "RoundRows",
                        "GatherRows",
                        "GroupedLinear",
                        "SwiGlu",
                        "RoundRows",
                        "GroupedLinear"),
                experts("deepseek-ai/DeepSeek-R1-0528"));
        List<String> asStored = List.of("SortByExpert", "GatherRows", "GroupedLinear", "SwiGlu", "GroupedLinear");
        assertEquals(asStored, experts("deepseek-ai/DeepSeek-R1-0528-BF16"));
        assertEquals(asStored, experts("nvidia/DeepSeek-R1-0528-FP4-v2"));
    }

    private static List<String> attention(Phase phase, Batch batch, DType cache) {
        Program program = SlicedModel.of("tiny-deepseek-v32", List.of(0), phase, batch, cache)
                .program();
        return program.operators().stream()
                .map(Operator::name)
                .takeWhile(name -> !name.equals("Add"))
                .toList();
    }

    @Test
    void attentionIsSparseOnceThereIsAChoice() {
        List<String> sparse = List.of(
                "Linear",
                "RmsNorm",
                "Linear",
                "Linear",
                "IndexKeyAppend",
                "Linear",
                "Linear",
                "IndexQuery",
                "IndexLogits",
                "IndexTopK",
                "PoolRows",
                "HeadLinear",
                "RmsNorm",
                "Rotary",
                "Rotary",
                "LatentAppend",
                "SparseMlaAttention",
                "HeadLinear",
                "Linear");
        // tiny-deepseek-v32 chooses 64 positions.
        assertEquals(sparse, attention(Phase.CONTEXT, Batch.uniform(2, 65, 0), DType.BF16));
        assertEquals(sparse, attention(Phase.GENERATION, Batch.uniform(2, 1, 64), DType.BF16));
        assertEquals(sparse, attention(Phase.GENERATION, Batch.uniform(2, 1, 7), DType.E4M3), "packed rows");
        List<String> decode = attention(Phase.GENERATION, Batch.uniform(2, 1, 63), DType.BF16);
        assertTrue(decode.containsAll(List.of("IndexKeyAppend", "MlaDecodeAttention")), decode.toString());
        List<String> prefill = attention(Phase.CONTEXT, Batch.uniform(2, 64, 0), DType.BF16);
        assertTrue(prefill.containsAll(List.of("IndexKeyAppend", "MlaPrefillAttention")), prefill.toString());
        assertTrue(prefill.stream().noneMatch("IndexLogits"::equals), prefill.toString());
    }
}
