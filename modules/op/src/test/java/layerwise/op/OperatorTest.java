package layerwise.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import layerwise.op.fusion.ExpertLoop;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

class OperatorTest {
    static TensorRef bf16(String name, long... dims) {
        return Buffer.of(name, DType.BF16, dims).whole();
    }

    private static TensorRef i32(String name, long... dims) {
        return Buffer.of(name, DType.I32, dims).whole();
    }

    private static TensorRef f32(String name, long... dims) {
        return Buffer.of(name, DType.F32, dims).whole();
    }

    static PagedBatch paged(Batch batch, int pages) {
        int b = batch.sequences();
        return new PagedBatch(
                batch,
                i32("positions", batch.tokens()),
                i32("starts", b + 1),
                i32("past", b),
                i32("pages", b, pages),
                i32("slots", b));
    }

    @Test
    void linearReadsInputAndWeightOnceAndWritesItsOutputOnce() {
        Linear op = new Linear(bf16("x", 3, 8), Weight.plain(bf16("w", 5, 8)), bf16("y", 3, 5));
        assertEquals(new Work(2 * 3 * 5 * 8, 2 * (3 * 8 + 5 * 8 + 3 * 5), Arithmetic.BF16), op.work());
    }

    @Test
    void linearNamesTheTensorThatDoesNotFit() {
        Weight w = Weight.plain(bf16("w", 5, 8));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new Linear(bf16("x", 3, 8), w, bf16("y", 3, 6)));
        assertEquals("Linear: y must be [3,5] but is y BF16[3,6]", e.getMessage());
    }

    @Test
    void nvfp4WeightsCountScalesToo() {
        TensorRef data = Buffer.of("w", DType.E2M1, 4, 32).whole();
        TensorRef blocks = Buffer.of("s", DType.E4M3, 4, 2).whole();
        Weight w = new Weight(data, new Scaling.Nvfp4(blocks, f32("g", 2)));
        assertEquals(4 * 16 + 4 * 2 + 8, w.bytes());
        assertEquals(WeightFormat.NVFP4, w.format());
        assertThrows(IllegalArgumentException.class, () -> new Weight(data, new Scaling.Nvfp4(blocks, f32("g", 3))));
        assertThrows(IllegalArgumentException.class, () -> Weight.plain(data));
    }

    @Test
    void fp8BlocksCoverShortEdges() {
        TensorRef data = Buffer.of("w", DType.E4M3, 576, 200).whole();
        assertEquals(
                WeightFormat.FP8_BLOCK,
                new Weight(data, new Scaling.Block(f32("s", 5, 2), 128, 128, ScaleFormat.FLOAT32)).format());
        assertThrows(
                IllegalArgumentException.class,
                () -> new Weight(data, new Scaling.Block(f32("s", 4, 2), 128, 128, ScaleFormat.FLOAT32)));
    }

    @Test
    void productsRoundBfloat16ActivationsForBlocksOf128() {
        TensorRef data = Buffer.of("w", DType.E4M3, 256, 256).whole();
        Weight w = new Weight(data, new Scaling.Block(f32("s", 2, 2), 128, 128, ScaleFormat.FLOAT32));
        assertTrue(w.roundsActivations(DType.BF16));
        assertFalse(w.roundsActivations(DType.F32));
        assertFalse(new Weight(data, new Scaling.Block(f32("s4", 4, 4), 64, 64, ScaleFormat.FLOAT32))
                .roundsActivations(DType.BF16));
        assertEquals(
                Arithmetic.FP8,
                new Linear(bf16("x", 4, 256), w, bf16("y", 4, 256)).work().arithmetic());
        assertEquals(
                Arithmetic.BF16,
                new Linear(f32("x4", 4, 256), w, f32("y4", 4, 256)).work().arithmetic());
    }

    @Test
    void anExpertsWeightIsAPartOfItsStack() {
        TensorRef data = Buffer.of("w", DType.E2M1, 3, 4, 32).whole();
        Weight w = new Weight(
                data, new Scaling.Nvfp4(Buffer.of("s", DType.E4M3, 3, 4, 2).whole(), f32("g", 3, 2)));
        Weight second = w.expert(1);
        assertEquals(1, second.data().dim(0));
        assertEquals(4 * 32, second.data().offset());
        assertEquals(w.bytes() / 3, second.bytes());
        assertEquals(w, second.stack());
    }

    @Test
    void causalAttentionCountsVisiblePairsOnly() {
        Batch batch = new Batch(List.of(1, 3), List.of(4, 0));
        assertEquals(5 + (1 + 2 + 3), batch.visiblePairs());
        assertEquals(8, batch.context());
        assertEquals(5, batch.longest());
        TensorRef cache = bf16("cache", 4, 4, 6);
        MlaDecodeAttention op =
                new MlaDecodeAttention(bf16("q", 4, 2, 6), cache, bf16("out", 4, 2, 4), paged(batch, 2), 1);
        assertEquals(2 * 2 * (6 + 4) * 11, op.work().flops());
        assertEquals(2 * (4 * 2 * 6 + 8 * 6 + 4 * 2 * 4), op.work().bytes());
        TensorRef codes = Buffer.of("codes", DType.E4M3, 4, 4, 6).whole();
        assertThrows(
                IllegalArgumentException.class,
                () -> new MlaDecodeAttention(op.q(), codes, op.out(), op.paged(), 1),
                "16-bit queries for a cache of codes");
    }

    @Test
    void expertsWithoutRowsAreIdle() {
        Weight w = Weight.plain(bf16("w", 3, 6, 4));
        GroupedLinear none = new GroupedLinear(
                Activations.plain(bf16("x", 1, 4)), i32("offsets", 4), w, bf16("y", 1, 6), new ExpertLoad(0, 0));
        Program loop = ExpertLoop.apply(new Program(List.of(new Step.Launch(none, Lane.MAIN)), List.of()));
        assertEquals(3, loop.operators().size());
        for (Operator one : loop.operators()) {
            assertEquals(new ExpertLoad(0, 0), ((GroupedLinear) one).load());
        }
        assertThrows(IllegalArgumentException.class, () -> new ExpertLoad(0, Double.NaN));
    }

    @Test
    void groupedQueriesReadEachKeyAndValueOnce() {
        Batch batch = new Batch(List.of(1, 3), List.of(4, 0));
        GqaPrefillAttention prefill = new GqaPrefillAttention(
                bf16("q", 4, 6, 8), bf16("k", 8, 2, 8), bf16("v", 8, 2, 8), bf16("out", 4, 6, 8), paged(batch, 2), 1);
        assertEquals(3, prefill.group());
        assertEquals(2 * 6 * (8 + 8) * 11, prefill.work().flops());
        assertEquals(2 * (2 * 4 * 6 * 8 + 2 * 8 * 2 * 8), prefill.work().bytes());
        TensorRef cache = Buffer.of("cache", DType.E4M3, 4, 4, 2 * 2 * 8).whole();
        GqaDecodeAttention decode =
                new GqaDecodeAttention(bf16("q", 4, 6, 8), cache, bf16("out", 4, 6, 8), paged(batch, 2), 1);
        assertEquals(2, decode.kvHeads());
        assertEquals(3, decode.group());
        assertEquals(prefill.work().flops(), decode.work().flops());
        assertEquals(2 * (2 * 4 * 6 * 8) + 8 * 2 * 2 * 8, decode.work().bytes());
    }

    @Test
    void groupedQueriesRefuseHeadsThatAreNoWholeGroups() {
        TensorRef cache = bf16("cache", 1, 4, 2 * 2 * 8);
        PagedBatch paged = paged(Batch.uniform(1, 1, 0), 1);
        assertThrows(
                IllegalArgumentException.class,
                () -> new GqaDecodeAttention(bf16("q", 1, 3, 8), cache, bf16("out", 1, 3, 8), paged, 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> new GqaDecodeAttention(bf16("q", 1, 4, 6), cache, bf16("out", 1, 4, 6), paged, 1));
    }

    @Test
    void groupedProductsReadActivatedExpertsOnly() {
        Weight w = Weight.plain(bf16("w", 8, 6, 4));
        GroupedLinear op = new GroupedLinear(
                Activations.plain(bf16("x", 10, 4)), i32("offsets", 9), w, bf16("y", 10, 6), new ExpertLoad(10, 2));
        assertEquals(2 * 10 * 6 * 4, op.work().flops());
        assertEquals(2 * (10 * 4 + 2 * 6 * 4 + 10 * 6), op.work().bytes());
    }

    @Test
    void operatorsAroundExpertsCountTheRowsThatThisRankHas() {
        Activations x = Activations.plain(bf16("x", 3, 8));
        TensorRef pairs = i32("pairs", 6);
        TensorRef slots = i32("slots", 3, 2);
        Activations rows = Activations.plain(bf16("rows", 6, 8));
        // Two of six pairs have their experts here: two tokens' rows at most are read, two rows written.
        assertEquals(
                2 * 8 * 2 + 4 * 2 + 2 * 8 * 2,
                new GatherRows(x, pairs, rows, 2, 2).work().bytes());
        assertEquals(new GatherRows(x, pairs, rows, 2, 6).work(), new GatherRows(x, pairs, rows, 2).work());
        SwiGlu gate = new SwiGlu(bf16("both", 6, 8), Optional.of(i32("offsets", 3)), bf16("gated", 6, 4), 2);
        assertEquals(2 * (2 * 8 + 2 * 4), gate.work().bytes());
        assertEquals(5 * 2 * 4, gate.work().flops());
        Combine combine = new Combine(rows.data(), slots, f32("weights", 3, 2), bf16("y", 3, 8), 2);
        assertEquals(2 * 2 * 8 + 4 * 6 + 4 * 6 + 2 * 3 * 8, combine.work().bytes());
        assertEquals(2 * 2 * 8, combine.work().flops());
        assertThrows(IllegalArgumentException.class, () -> new GatherRows(x, pairs, rows, 2, 7));
    }

    @Test
    void expectedLoadMatchesPublishedNumbersOfDistinctExperts() {
        // 128 tokens, DeepSeek-R1, Nemotron-3-Nano and Qwen3-Next.
        assertEquals(251.6, ExpertLoad.expected(128, 8, 256).activeExperts(), 0.05);
        assertEquals(127.7, ExpertLoad.expected(128, 6, 128).activeExperts(), 0.05);
        assertEquals(471.0, ExpertLoad.expected(128, 10, 512).activeExperts(), 0.05);
    }

    @Test
    void routeRefusesMoreExpertsThanItsGroupsHave() {
        Routing routing = new Routing.SigmoidGroups(4, 1, true, 1);
        TensorRef logits = f32("logits", 2, 8);
        assertThrows(
                IllegalArgumentException.class,
                () -> new Route(logits, Optional.empty(), i32("ids", 2, 3), f32("weights", 2, 3), routing));
        assertEquals(
                2,
                new Route(logits, Optional.empty(), i32("ids", 2, 2), f32("weights", 2, 2), routing)
                        .outputs()
                        .size());
    }

    @Test
    void fusedOperatorsNeverCostMoreThanTheirParts() {
        TensorRef x = bf16("x", 6, 8);
        TensorRef sum = bf16("sum", 6, 8);
        TensorRef y = bf16("y", 6, 8);
        TensorRef gain = bf16("gain", 8);
        Work fused = new AddRmsNorm(x, bf16("r", 6, 8), gain, sum, y, 1e-6).work();
        Work add = new Add(x, bf16("r", 6, 8), sum).work();
        Work norm = new RmsNorm(sum, gain, y, 1e-6).work();
        assertEquals(add.flops() + norm.flops(), fused.flops());
        assertTrue(fused.bytes() < add.bytes() + norm.bytes());
    }

    @Test
    void noiseIsUniformAndReproducible() {
        double sum = 0;
        for (int i = 0; i < 100_000; i++) {
            float u = Noise.uniform(3, i);
            assertTrue(u >= 0 && u < 1);
            sum += u;
        }
        // Standard error of the mean is 0.0009.
        assertEquals(0.5, sum / 100_000, 0.005);
        assertEquals(Noise.bits(3, 7), Noise.bits(3, 7));
        // First output of the published generator for seed 0 is 0xE220A8397B1DCDAF.
        assertEquals(0xE220A8397B1DCDAFL, Noise.bits(0, 0));
    }
}
