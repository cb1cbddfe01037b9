package layerwise.model.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import layerwise.model.cache.CacheTypes;
import layerwise.model.cache.PagedCache;
import layerwise.model.cache.RotaryTable;
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
import layerwise.op.TensorRef;
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
        CacheTypes types = new CacheTypes(cacheDtype, model.dtype(), DType.F16);
        DecoderSlice slice = new DecoderSlice(model, layers, weights, cache, model.dtype(), types);
        Optional<TensorRef> rotary =
                RotaryTable.of(model, layers, batch.longest()).map(RotaryTable::tensor);
        Program program = slice.benchmark(
                        phase, cache.tables("step", 0, batch).paged(), rotary, new ExpertChoice.Routed())
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

    /**
     * Published least work of DeepSeek-R1's decode step: batch 128, one new token over 8,193 cached ones. The published
     * figures have 16-bit queries: those for an E4M3 cache are codes, 8.4 and 9.4 MB less.
     */
    @ParameterizedTest
    @CsvSource({
        "E4M3, Linear, 128x2112x7168 bf16, 3.88, 32.7",
        "E4M3, Linear, 128x24576x1536 bf16, 9.66, 82.2",
        "BF16, HeadLinear, 128x128x512x128, 2.15, 37.7",
        "E4M3, HeadLinear, 128x128x512x128, 2.15, 29.4",
        "E4M3, MlaDecodeAttention, B128, 292.1, 630.4",
        "E4M3, HeadLinear, 128x128x128x512, 2.15, 37.7",
        "E4M3, Linear, 128x7168x16384 nvfp4, 30.1, 72.1",
        "E4M3, Linear, 128x256x7168, 0.47, 5.6",
    })
    void decodeStepCostsWhatItMust(DType cache, String operator, String label, double gflop, double megabytes) {
        Program program = slice(
                        "nvidia/DeepSeek-R1-0528-FP4-v2",
                        List.of(5),
                        Phase.GENERATION,
                        Batch.uniform(128, 1, 8193),
                        cache)
                .program();
        Work work = work(program, operator, label);
        assertEquals(gflop, work.flops() / 1e9, 0.005 * gflop + 0.005);
        // Published figures are rounded to 0.1 MB and leave out the tables.
        assertEquals(megabytes, work.bytes() / 1e6, 0.05 + 0.001 * megabytes);
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

    /** Published least work of one decode step of 128 sequences over 8,193 tokens, states in 16 bits. */
    @ParameterizedTest
    @CsvSource({
        "4, Linear, 128x10304x2688, 7.09, 58.7",
        "4, CausalConv1d, B128, 0.006, 12.6",
        "4, SsdStateUpdate, B128, 0.40, 271",
        "4, GatedRmsNorm, 128x8x512, 0.005, 3.1",
        "4, Linear, 128x2688x4096, 2.82, 23.8",
        "5, Linear, 128x4608x2688, 3.17, 26.6",
        "5, GqaDecodeAttention, B128, 17.2, 1074",
        "5, Linear, 128x2688x4096, 2.82, 23.8",
        "6, Linear, 128x128x2688, 0.09, 1.4",
    })
    void nemotronsDecodeStepCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = slice(
                        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
                        List.of(layer),
                        Phase.GENERATION,
                        Batch.uniform(128, 1, 8193),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    /** Published least work of one prefill step of 8,193 tokens. */
    @ParameterizedTest
    @CsvSource({
        "4, Linear, 8193x10304x2688, 453.8, 268",
        "4, CausalConv1d, B1, 0.40, 201",
        "4, SsdChunkScan, B1, 28.4, 170",
        "5, Linear, 8193x4608x2688, 203.0, 144",
        "5, GqaPrefillAttention, B1, 550.0, 143",
    })
    void nemotronsPrefillCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = slice(
                        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
                        List.of(layer),
                        Phase.CONTEXT,
                        Batch.uniform(1, 8193, 0),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    @ParameterizedTest
    @CsvSource({
        "6, Linear, 128x12288x2048, 6.44, 54.0",
        "6, Linear, 128x64x2048, 0.03, 0.8",
        "6, CausalConv1d, B128, 0.008, 16.8",
        "6, DeltaRuleUpdate, B128, 0.47, 272",
        "6, Linear, 128x2048x4096, 2.15, 18.4",
        "7, Linear, 128x9216x2048, 4.83, 40.6",
        "7, GqaDecodeAttention, B128, 17.2, 2148",
        "7, Linear, 128x2048x4096, 2.15, 18.4",
    })
    void qwensDecodeStepCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = slice(
                        "Qwen/Qwen3-Next-80B-A3B-Instruct",
                        List.of(layer),
                        Phase.GENERATION,
                        Batch.uniform(128, 1, 8193),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    @ParameterizedTest
    @CsvSource({
        "6, Linear, 8193x12288x2048, 412.4, 285",
        "6, CausalConv1d, B1, 0.54, 268",
        "6, DeltaRuleChunkScan, B1, 48.3, 203",
        "7, Linear, 8193x9216x2048, 309.3, 222",
        "7, GqaPrefillAttention, B1, 550.0, 151",
    })
    void qwensPrefillCostsWhatItMust(int layer, String operator, String label, double gflop, double megabytes) {
        Program program = slice(
                        "Qwen/Qwen3-Next-80B-A3B-Instruct",
                        List.of(layer),
                        Phase.CONTEXT,
                        Batch.uniform(1, 8193, 0),
                        DType.BF16)
                .program();
        assertWork(work(program, operator, label), gflop, megabytes);
    }

    private static void assertWork(Work work, double gflop, double megabytes) {
        // Published figures count a last chunk of one token as a whole one, and have three digits at most.
        assertEquals(gflop, work.flops() / 1e9, 0.02 * gflop + 0.005);
        assertEquals(megabytes, work.bytes() / 1e6, 0.03 * megabytes + 0.05);
    }

    @ParameterizedTest
    @CsvSource({
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 4, 0.0775",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 5, 0.0468",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 6, 2.595",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 6, 3.297",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 7, 3.284",
    })
    void hybridWeightsTakeWhatTheCheckpointTakes(String model, int layer, double gigabytes) {
        Sliced sliced = slice(model, List.of(layer), Phase.GENERATION, Batch.uniform(1, 1, 1), DType.BF16);
        assertEquals(gigabytes, sliced.weights().bytes() / 1e9, 0.0006);
    }

    /** Published bytes of one sequence: states of 16 bits, last inputs of convolutions, and rows of 32 tokens. */
    @ParameterizedTest
    @CsvSource({
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 4, 1085440",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 5, 32768",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16, 6, 0",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 6, 1097728",
        "Qwen/Qwen3-Next-80B-A3B-Instruct, 7, 65536",
    })
    void cachesTakeTheirPublishedBytes(String model, int layer, long bytes) {
        Sliced sliced = slice(model, List.of(layer), Phase.GENERATION, Batch.uniform(1, 1, 31), DType.BF16);
        assertEquals(bytes, sliced.slice().cacheBytes());
    }

    @Test
    void nemotronsLayersAddAndNormaliseBeforeTheirMixerAndEndWithIt() {
        Program program = Fusion.apply(
                slice("tiny-nemotron", List.of(4, 5, 6), Phase.GENERATION, Batch.uniform(2, 1, 4), DType.BF16)
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
                slice("tiny-qwen3-next", List.of(6, 7), Phase.CONTEXT, Batch.uniform(2, 3, 0), DType.BF16)
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
        Program program = slice(model, indices, Phase.GENERATION, Batch.uniform(2, 1, 4), DType.BF16)
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
