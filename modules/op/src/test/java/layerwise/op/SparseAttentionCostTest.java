package layerwise.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Locale;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

/** Least work of sparse attention at the sizes of DeepSeek-V3.2, against figures computed by hand. */
class SparseAttentionCostTest {
    private static final Batch GEN = Batch.uniform(128, 1, 8193);
    private static final Batch CTX = Batch.uniform(1, 8193, 0);

    private static TensorRef tensor(String name, DType dtype, long... dims) {
        return Buffer.of(name, dtype, dims).whole();
    }

    private static PagedBatch paged(Batch batch) {
        return OperatorTest.paged(batch, 129);
    }

    private static IndexKeys keys() {
        return new IndexKeys(tensor("keys", DType.E4M3, 2, 64, 128), tensor("scales", DType.F32, 2, 64));
    }

    private static IndexLogits logits(Batch batch) {
        int tokens = batch.tokens();
        return new IndexLogits(
                tensor("q", DType.E4M3, tokens, 64, 128),
                tensor("w", DType.F32, tokens, 64),
                keys(),
                tensor("logits", DType.F32, tokens, batch.longest()),
                paged(batch),
                0);
    }

    private static SparseMlaAttention attention(Batch batch, TensorRef cache) {
        int tokens = batch.tokens();
        return new SparseMlaAttention(
                tensor("q", DType.BF16, tokens, 128, 576),
                cache,
                tensor("rows", DType.I32, tokens, 2048),
                tensor("positions", DType.I32, tokens),
                tensor("out", DType.BF16, tokens, 128, 512),
                batch,
                0.1352337789);
    }

    private static String giga(double value) {
        return String.format(Locale.ROOT, "%.1f", value / 1e9);
    }

    private static String mega(double value) {
        return String.format(Locale.ROOT, "%.1f", value / 1e6);
    }

    @Test
    void logitsOfDecodeReadTheKeysAndWriteAScoreEach() {
        IndexLogits op = logits(GEN);
        assertEquals("17.2", giga(op.work().flops()));
        assertEquals(
                "142.6", mega(op.work().bytes() - op.q().bytes() - op.weights().bytes()));
        assertEquals(Arithmetic.FP8, op.work().arithmetic());
    }

    @Test
    void logitsOfPrefillAreCausal() {
        assertEquals(33_566_721, CTX.reach(0, 8193).pairs());
        assertEquals(
                "550", String.format(Locale.ROOT, "%.0f", logits(CTX).work().flops() / 1e9));
    }

    @Test
    void blocksOfPrefillAddUp() {
        Batch batch = new Batch(List.of(5, 3, 7), List.of(10, 0, 4));
        for (int block = 1; block <= 15; block++) {
            long pairs = 0;
            for (int first = 0; first < 15; first += block) {
                pairs += batch.reach(first, Math.min(block, 15 - first)).pairs();
            }
            assertEquals(batch.visiblePairs(), pairs);
        }
        assertEquals(new Batch.Reach(14 + 15 + 1 + 2, 15 + 2), batch.reach(3, 4));
    }

    @Test
    void choiceReadsTheScoresAndWritesIndices() {
        IndexTopK op = new IndexTopK(
                tensor("logits", DType.F32, 128, 8194),
                tensor("positions", DType.I32, 128),
                tensor("indices", DType.I32, 128, 2048),
                GEN.visiblePairs());
        assertEquals("5.2", mega(op.work().bytes()));
    }

    @Test
    void sparseDecodeReadsChosenRows() {
        SparseMlaAttention bf16 = attention(GEN, tensor("cache", DType.BF16, 2, 64, 576));
        SparseMlaAttention packed = attention(GEN, tensor("cache", DType.I8, 2, 64, 656));
        assertEquals("73.0", giga(bf16.work().flops()));
        long tables = bf16.rows().bytes() + bf16.positions().bytes();
        assertEquals("337.6", mega(bf16.work().bytes() - tables));
        assertEquals("207.6", mega(packed.work().bytes() - tables));
    }

    @Test
    void sparsePrefillChoosesFewerWhereFewerAreVisible() {
        assertEquals(14_683_136, CTX.chosenPairs(2048));
        assertEquals(8193, CTX.chosenRows(2048));
        assertEquals(
                "4090",
                String.format(
                        Locale.ROOT,
                        "%.0f",
                        attention(CTX, tensor("cache", DType.BF16, 2, 64, 576))
                                        .work()
                                        .flops()
                                / 1e9));
        assertEquals(7 * 3, Batch.uniform(7, 1, 9).chosenPairs(3));
        assertEquals(1 + 2 + 3 + 3, Batch.uniform(1, 4, 0).chosenPairs(3));
        assertEquals(2 + 3 + 3, Batch.uniform(1, 3, 1).chosenPairs(3));
    }

    @Test
    void indexQueryProjectionOfDecode() {
        Weight w = new Weight(
                tensor("wq_b", DType.E4M3, 8192, 1536),
                new Scaling.Block(tensor("s", DType.F32, 64, 12), 128, 128, ScaleFormat.UE8M0));
        Linear op = new Linear(tensor("c", DType.BF16, 128, 1536), w, tensor("q", DType.BF16, 128, 8192));
        assertEquals("3.22", String.format(Locale.ROOT, "%.2f", op.work().flops() / 1e9));
        assertEquals("15.1", mega(op.work().bytes()));
    }

    @Test
    void aCachedIndexKeyTakes132BytesAndAPackedLatent656() {
        assertEquals(132, keys().bytes(1));
        assertEquals(656, PackedLatent.bytes(512, 64));
    }

    @Test
    void tensorsThatDoNotFitAreNamed() {
        TensorRef cache = tensor("cache", DType.I8, 2, 64, 576);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> attention(GEN, cache));
        assertEquals("SparseMlaAttention: cache must be [2,64,656] but is cache I8[2,64,576]", e.getMessage());
        TensorRef narrow = tensor("y", DType.E4M3, 1, 1, 96);
        assertThrows(
                IllegalArgumentException.class,
                () -> new IndexQuery(
                        tensor("q", DType.BF16, 1, 1, 96),
                        tensor("w", DType.F32, 1, 1),
                        tensor("p", DType.I32, 1),
                        tensor("t", DType.F32, 9, 2, 8),
                        narrow,
                        tensor("s", DType.F32, 1, 1)));
    }
}
