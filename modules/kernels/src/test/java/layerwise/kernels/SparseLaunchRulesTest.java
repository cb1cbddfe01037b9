package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import layerwise.op.Batch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the kernels of sparse attention are divided over blocks. */
class SparseLaunchRulesTest {
    private static final Batch MIXED = new Batch(List.of(5, 1, 300, 4), List.of(700, 0, 40, 4096));

    @ParameterizedTest
    @CsvSource({"0,310", "3,200", "5,1", "306,4"})
    void everyVisibleKeyIsScoredOnceByItemsOfOneSequence(int first, int rows) {
        IndexLogitsItems items = IndexLogitsItems.of(MIXED, first, rows, 3);
        int[] table = items.table();
        int[][] scored = new int[rows][MIXED.longest()];
        for (int i = 0; i < items.count(); i++) {
            int row = table[4 * i];
            int count = table[4 * i + 1] & 255;
            int sequence = table[4 * i + 1] >> 8;
            int from = table[4 * i + 2];
            int to = table[4 * i + 3];
            assertTrue(count >= 1 && count <= items.tokens(), "rows " + count);
            assertEquals(0, from % IndexLogitsItems.TILE);
            for (int r = row; r < row + count; r++) {
                assertEquals(sequence, sequenceOf(first + r));
                for (int s = from; s < Math.min(to, visible(first + r)); s++) {
                    scored[r][s]++;
                }
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int s = 0; s < MIXED.longest(); s++) {
                assertEquals(s < visible(first + r) ? 1 : 0, scored[r][s], "row " + r + " key " + s);
            }
        }
    }

    private static int sequenceOf(int token) {
        return token < 5 ? 0 : token < 6 ? 1 : token < 306 ? 2 : 3;
    }

    private static int visible(int token) {
        int[] starts = {0, 5, 6, 306};
        int sequence = sequenceOf(token);
        return MIXED.past().get(sequence) + token - starts[sequence] + 1;
    }

    @ParameterizedTest
    @CsvSource({"1,1", "2,2", "3,4", "4,4", "8193,4"})
    void itemsHaveAsManyTokensAsThereAre(int queries, int tokens) {
        assertEquals(
                tokens,
                IndexLogitsItems.of(Batch.uniform(2, queries, 9), 0, 2 * queries, 132)
                        .tokens());
    }

    @Test
    void longPrefillTakesItemsOf2048Keys() {
        IndexLogitsItems items = IndexLogitsItems.of(Batch.uniform(1, 8192, 0), 0, 8192, 132);
        // 2,048 groups of four tokens; those from token 2,048 on see a second run, and so on.
        assertEquals(2048 + 1536 + 1024 + 512, items.count());
    }

    @ParameterizedTest
    @CsvSource({
        // One token of 128 heads: a tile for each part keeps 64 multiprocessors busy.
        "2,2048,64",
        // 256 blocks are two rounds of 132 whatever is done.
        "256,2048,2048",
        "16386,2048,2048",
        "128,2048,2048",
        "32,2048,512",
        "1,64,64",
    })
    void chosenRowsAreDividedWhereThatFillsTheGpu(long blocks, long k, int chunk) {
        assertEquals(chunk, SparseLaunches.chunk(blocks, k));
    }

    @ParameterizedTest
    @CsvSource({
        "true,16,_packed",
        "true,64,_packed",
        "true,65,_packed_pair",
        "true,128,_packed_pair",
        "true,129,_packed",
        "true,256,_packed_pair",
        "false,128,_bf16",
    })
    void blocksOfATokenSharePackedRowsInPairs(boolean packed, int heads, String variant) {
        assertEquals("sparse_mla_attention_d576" + variant, SparseLaunches.variant(packed, heads));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 31, 64, 100, 131, 133, 500})
    void chunksAreWholeTilesThatCoverTheChoice(int blocks) {
        for (int k : new int[] {1, 63, 64, 65, 130, 2048}) {
            int chunk = SparseLaunches.chunk(blocks, k);
            assertEquals(0, chunk % 64);
            assertTrue(chunk >= 64 && chunk <= Math.ceilDiv(k, 64) * 64, blocks + " blocks, top " + k + ": " + chunk);
        }
    }
}
