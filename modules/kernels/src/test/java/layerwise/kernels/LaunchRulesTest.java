package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import layerwise.op.Batch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules that kernels' headers state, on cases worked out by hand. */
class LaunchRulesTest {
    @ParameterizedTest
    @CsvSource({
        "1,7168,8,4",
        "8,2048,8,8",
        "9,7168,16,4",
        "64,36864,64,2",
        "65,4096,64,2",
        "128,7168,128,2",
        "129,4096,256,1"
    })
    void denseProductsTakeTheLeastWidthThatHoldsTheirTokens(long tokens, long n, int width, int splits) {
        assertEquals(new WideProduct(width, splits), WideProduct.dense(tokens, n));
    }

    @ParameterizedTest
    @CsvSource({"1024,256,8", "8,256,8", "65544,256,256", "4096,256,16", "200000,256,256"})
    void productsOverExpertsTakeTheLeastWidthThatHoldsTheirMeanShare(long pairs, long experts, int width) {
        assertEquals(width, WideProduct.experts(pairs, experts).width());
    }

    @Test
    void expertGridsHoldEveryPossibleSpread() {
        // Ten pairs on four experts in tiles of four rows: at worst 1+1+1+7 rows, that is 1+1+1+2 tiles.
        assertEquals(3 * 5, WideProduct.tiles(3, 10, 4, 4));
        // Fewer pairs than experts: a tile for each.
        assertEquals(2, WideProduct.tiles(1, 2, 256, 8));
    }

    @Test
    void shortSequencesAreNotDivided() {
        DecodeSplit split = DecodeSplit.of(Batch.uniform(128, 1, 30), 128);
        assertEquals(64, split.chunk());
        assertEquals(0, split.partials());
    }

    @Test
    void oneLongSequenceIsDividedAmongMultiprocessors() {
        DecodeSplit split = DecodeSplit.of(Batch.uniform(1, 1, 8193), 128);
        // Two blocks of heads: 66 parts would fill 132 multiprocessors, 65 parts of two tiles do in one wave.
        assertEquals(128, split.chunk());
        assertEquals(Math.ceilDiv(8194, 128) * 128L, split.partials());
    }

    @Test
    void raggedBatchesCountPartsSequenceBySequence() {
        DecodeSplit split = DecodeSplit.of(new Batch(List.of(2, 1), List.of(1000, 10)), 16);
        long parts = Math.ceilDiv(1002, split.chunk());
        assertTrue(split.chunk() % 64 == 0);
        assertEquals(parts > 1 ? parts * 2L * 16 : 0, split.partials());
    }
}
