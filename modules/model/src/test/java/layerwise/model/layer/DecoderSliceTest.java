package layerwise.model.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
import layerwise.model.spec.MlaSpec;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.model.weights.WeightSource;
import layerwise.model.weights.WeightTable;
import layerwise.op.Batch;
import layerwise.op.Capabilities;
import layerwise.op.IndexLogits;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.Step;
import layerwise.op.Work;
import layerwise.op.fusion.Fusion;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecoderSliceTest {
    private static final ModelCatalog SHIPPED =
            new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models"));

    private record Sliced(DecoderSlice slice, WeightTable weights, Program program) {}

    private static Sliced slice(String name, List<Integer> layers, Phase phase, Batch batch, DType cacheDtype) {
        ModelSpec model = SHIPPED.find(name);
        WeightTable weights = new WeightTable(model, new WeightSource.Dummy());
        PagedCache cache = new PagedCache(batch.sequences(), 32, batch.longest());
        DecoderSlice slice = new DecoderSlice(model, layers, weights, cache, model.dtype(), cacheDtype);
        MlaSpec mla = (MlaSpec) model.layer(layers.getFirst()).mixer();
        RotaryTable rotary = new RotaryTable(mla.rope(), mla.ropeDim(), batch.longest());
        Program program = slice.benchmark(
                        phase, cache.tables("step", 0, batch).paged(), rotary.tensor(), new ExpertChoice.Routed())
                .program();
        return new Sliced(slice, weights, program);
    }

    private static Work work(Program program, String operator, String label) {
        List<Operator> found = program.operators().stream()
                .filter(op -> op.name().equals(operator) && op.label().contains(label))
                .toList();
        assertEquals(1, found.size(), operator + " " + label + ": " + found.size());
        return found.getFirst().work();
    }

    /** Published least work of DeepSeek-R1's decode step: batch 128, one new token over 8,193 cached ones. */
    @ParameterizedTest
    @CsvSource({
        "Linear, 128x2112x7168 bf16, 3.88, 32.7",
        "Linear, 128x24576x1536 bf16, 9.66, 82.2",
        "HeadLinear, 128x128x512x128, 2.15, 37.7",
        "MlaDecodeAttention, B128, 292.1, 639.8",
        "HeadLinear, 128x128x128x512, 2.15, 37.7",
        "Linear, 128x7168x16384 nvfp4, 30.1, 72.1",
        "Linear, 128x256x7168, 0.47, 5.6",
    })
    void decodeStepCostsWhatItMust(String operator, String label, double gflop, double megabytes) {
        Program program = slice(
                        "nvidia/DeepSeek-R1-0528-FP4-v2",
                        List.of(5),
                        Phase.GENERATION,
                        Batch.uniform(128, 1, 8193),
                        DType.E4M3)
                .program();
        Work work = work(program, operator, label);
        assertEquals(gflop, work.flops() / 1e9, 0.005 * gflop + 0.005);
        // The published figure of attention leaves out 0.02 % of queries' padding, others are rounded to 0.1 MB.
        assertEquals(megabytes, work.bytes() / 1e6, 0.03 * megabytes);
    }

    @Test
    void prefillAttentionCostsWhatItMust() {
        Program program = slice(
                        "nvidia/DeepSeek-R1-0528-FP4-v2",
                        List.of(5),
                        Phase.CONTEXT,
                        Batch.uniform(1, 8193, 0),
                        DType.E4M3)
                .program();
        Work attention = work(program, "MlaPrefillAttention", "");
        assertEquals(2749.8, attention.flops() / 1e9, 0.1);
        // Keys' rotated part is one for all heads, and so are its bytes.
        long elements = 8193L * (128 * (192 + 256 + 128) + 64);
        assertEquals(2 * elements, attention.bytes());
    }

    @ParameterizedTest
    @CsvSource({
        "nvidia/DeepSeek-R1-0528-FP4-v2, 5, 6.576",
        "deepseek-ai/DeepSeek-R1-0528, 5, 11.512",
        "deepseek-ai/DeepSeek-R1-0528-BF16, 5, 23.015",
        "nvidia/DeepSeek-R1-0528-FP4-v2, 1, 0.428",
        "deepseek-ai/DeepSeek-R1-0528, 1, 0.584",
        "deepseek-ai/DeepSeek-R1-0528-BF16, 1, 1.167",
        "deepseek-ai/DeepSeek-V3.2-Exp, 5, 11.526",
    })
    void weightsTakeWhatTheCheckpointTakes(String model, int layer, double gigabytes) {
        Sliced sliced = slice(model, List.of(layer), Phase.GENERATION, Batch.uniform(1, 1, 1), DType.BF16);
        assertEquals(gigabytes, sliced.weights().bytes() / 1e9, 0.0006);
    }

    @Test
    void rangesAreTheReferencesModules() {
        Program program = slice("tiny-deepseek", List.of(2, 3), Phase.GENERATION, Batch.uniform(2, 1, 4), DType.BF16)
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
        assertEquals(
                List.of(
                        "/MLA",
                        "/GatedMLP",
                        "/MLA",
                        "/Deepseekv3MoE",
                        "/Deepseekv3MoE/DeepseekV3Gate",
                        "/Deepseekv3MoE/MoE",
                        "/Deepseekv3MoE/GatedMLP"),
                paths);
    }

    @Test
    void fusionLeavesOneOperatorWhereEnginesLaunchOneKernel() {
        Program program = Fusion.apply(
                slice("tiny-deepseek", List.of(3), Phase.GENERATION, Batch.uniform(2, 1, 4), DType.BF16)
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
        Program program = slice("tiny-deepseek", List.of(0), Phase.CONTEXT, batch, DType.BF16)
                .program();
        assertTrue(program.operators().stream().anyMatch(op -> op.name().equals("LatentGather")));
        Program fresh = slice("tiny-deepseek", List.of(0), Phase.CONTEXT, Batch.uniform(2, 3, 0), DType.BF16)
                .program();
        assertTrue(fresh.operators().stream().noneMatch(op -> op.name().equals("LatentGather")));
    }

    private static List<String> attention(Phase phase, Batch batch, DType cache) {
        Program program =
                slice("tiny-deepseek-v32", List.of(0), phase, batch, cache).program();
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

    @Test
    void scoresOfLongPrefillTakeAtMostAGibibyte() {
        Program program = slice(
                        "deepseek-ai/DeepSeek-V3.2-Exp",
                        List.of(5),
                        Phase.CONTEXT,
                        Batch.uniform(1, 32769, 0),
                        DType.BF16)
                .program();
        List<IndexLogits> blocks = program.operators().stream()
                .filter(IndexLogits.class::isInstance)
                .map(IndexLogits.class::cast)
                .toList();
        assertEquals(5, blocks.size());
        assertEquals(1, blocks.stream().map(op -> op.out().buffer()).distinct().count());
        assertTrue(blocks.getFirst().out().buffer().bytes() <= 1 << 30);
        assertEquals(
                Batch.uniform(1, 32769, 0).visiblePairs(),
                blocks.stream().mapToLong(op -> op.work().flops()).sum() / (2 * 64 * 128));
    }

    @Test
    void aTokenOfDeepSeekV32Takes132BytesOfIndexKeysAnd656OfLatents() {
        Batch batch = Batch.uniform(1, 1, 63);
        assertEquals(
                64 * (132 + 1152),
                slice("deepseek-ai/DeepSeek-V3.2-Exp", List.of(5), Phase.GENERATION, batch, DType.BF16)
                        .slice()
                        .cacheBytes());
        assertEquals(
                64 * (132 + 656),
                slice("deepseek-ai/DeepSeek-V3.2-Exp", List.of(5), Phase.GENERATION, batch, DType.E4M3)
                        .slice()
                        .cacheBytes());
    }

    @Test
    void refusesGapsBetweenLayers() {
        ConfigException e = assertThrows(
                ConfigException.class,
                () -> slice("tiny-deepseek", List.of(3, 5), Phase.CONTEXT, Batch.uniform(1, 1, 0), DType.BF16));
        assertTrue(e.getMessage().contains("expected 4 after 3"), e.getMessage());
    }
}
