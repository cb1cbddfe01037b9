package layerwise.model.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import layerwise.op.Batch;
import layerwise.op.IndexLogits;
import layerwise.op.Program;
import layerwise.tensor.ConfigException;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

class DecoderSliceTest {
    @Test
    void scoresOfLongPrefillTakeAtMostAGibibyte() {
        Program program = SlicedModel.of(
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
    void refusesGapsBetweenLayers() {
        ConfigException e = assertThrows(
                ConfigException.class,
                () -> SlicedModel.of(
                        "tiny-deepseek", List.of(3, 5), Phase.CONTEXT, Batch.uniform(1, 1, 0), DType.BF16));
        assertTrue(e.getMessage().contains("expected 4 after 3"), e.getMessage());
    }
}
