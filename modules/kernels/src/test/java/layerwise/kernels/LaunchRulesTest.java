package layerwise.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.op.Batch;
import layerwise.op.WeightFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules that kernels' headers state, on cases worked out by hand. */
class LaunchRulesTest {
    @ParameterizedTest
    @CsvSource({
        "FP8_BLOCK,1,2112,7168,8,4",
        "FP8_BLOCK,1,4096,7168,8,2",
        "FP8_BLOCK,9,7168,2048,16,1",
        "FP8_BLOCK,17,7168,16384,32,2",
        "FP8_BLOCK,128,7168,16384,64,1",
        "NVFP4,1,7168,16384,8,2",
        "NVFP4,8,4096,7168,8,4",
        "NVFP4,64,36864,7168,64,4",
        "NVFP4,65,4096,7168,64,2",
        "NVFP4,128,7168,2048,128,2"
    })
    void denseProductsOfFewTokensTakeTheLeastWidthAndEnoughBlocks(
            WeightFormat format, long tokens, long n, long k, int width, int splits) {
        assertEquals(new ProductVariant(width, 1, splits), ProductVariants.dense(format, tokens, n, k));
    }

    @ParameterizedTest
    @CsvSource({
        "NVFP4,1024,256,8,1",
        "NVFP4,8192,256,32,1",
        "NVFP4,65544,256,128,1",
        "FP8_BLOCK,1024,256,8,1",
        "FP8_BLOCK,2048,256,16,1",
        "FP8_BLOCK,65544,256,128,2",
        "BF16,8,256,32,1",
        "BF16,16384,256,64,2",
        "BF16,200000,256,128,2"
    })
    void productsOverExpertsTakeTheWidthForTheirMeanShare(
            WeightFormat format, long pairs, long experts, int width, int tiles) {
        assertEquals(new ProductVariant(width, tiles, 1), ProductVariants.experts(format, pairs, experts));
    }

    @ParameterizedTest
    @CsvSource({"32,1,8192,4,16", "32,4,8193,1,65", "16,1,8193,8,9", "32,128,1,1,1", "1,1,300,3,1"})
    void scansAreDividedIntoSegmentsUntilTheGpuIsFull(int blocks, int sequences, int tokens, int segments, int chunks) {
        assertEquals(
                new ChunkLaunches.Segments(segments, chunks),
                ChunkLaunches.Segments.of(Batch.uniform(sequences, tokens, 0), blocks));
    }

    @Test
    void expertGridsAreOneWaveOrEveryPossibleTile() {
        // Ten pairs on four experts in tiles of eight rows: at worst 1+1+1+7 rows, that is four tiles, of three across.
        assertEquals(
                12,
                new ProductVariant(8, 1, 1).expertShape(384, false, 10, 4, 132).gridX());
        assertEquals(
                264,
                new ProductVariant(8, 1, 1)
                        .expertShape(7168, false, 1024, 256, 132)
                        .gridX());
        assertEquals(
                132,
                new ProductVariant(128, 2, 1)
                        .expertShape(2048, true, 65_544, 256, 132)
                        .gridX());
        // 766 token tiles at most, 16 row tiles.
        assertEquals(
                16 * 766,
                new ProductVariant(128, 2, 1)
                        .orderedExpertShape(2048, true, 65_544, 256)
                        .gridX());
        // Fewer pairs than experts: a tile for each.
        assertEquals(2, ProductVariant.mostTiles(2, 256, 8));
    }

    @Test
    void clustersTakeATileEachAndBlocksWithoutThemWalk() {
        assertEquals(
                4 * 17, new ProductVariant(8, 1, 4).denseShape(1, 2112, 132).gridX());
        assertEquals(264, new ProductVariant(8, 1, 1).denseShape(1, 36_864, 132).gridX());
        assertEquals(
                9 * 8, new ProductVariant(128, 2, 1).denseShape(1024, 2112, 132).gridX());
    }

    @Test
    void shortSequencesAreNotDivided() {
        DecodeSplit split = DecodeSplit.of(Batch.uniform(128, 1, 30), 128, 1, DecodeSplit.Kernel.LATENT);
        assertEquals(64, split.chunk());
        assertEquals(0, split.partials());
    }

    @Test
    void oneLongSequenceIsDividedAmongMultiprocessors() {
        DecodeSplit split = DecodeSplit.of(Batch.uniform(1, 1, 8193), 128, 1, DecodeSplit.Kernel.LATENT);
        // One wave in any case: three tiles and 43 parts cost 10 · (3 + 5) + 43, two tiles and 65 parts 10 · (2 + 5) +
        // 65,
        // four tiles and 33 parts as much as three.
        assertEquals(192, split.chunk());
        assertEquals(43, split.parts());
        assertEquals(43 * 128L, split.partials());
    }

    @Test
    void eachKeyValueHeadHasBlocksOfItsOwn() {
        // 128 sequences and two heads fill 132 multiprocessors twice: parts would only add work.
        for (DecodeSplit.Kernel kernel : List.of(DecodeSplit.Kernel.GROUPED, DecodeSplit.Kernel.GROUPED_IN_PAIRS)) {
            DecodeSplit split = DecodeSplit.of(Batch.uniform(128, 1, 8193), 32, 2, kernel);
            assertEquals(1, split.parts());
            assertEquals(0, split.partials());
        }
    }

    @Test
    void shortPartsFillUpTheEndOfLongBlocks() {
        for (DecodeSplit.Kernel kernel : List.of(DecodeSplit.Kernel.GROUPED, DecodeSplit.Kernel.GROUPED_IN_PAIRS)) {
            // 129 tiles: a part of 110, one of 11, one of 8.
            assertEquals(
                    new DecodeSplit(704, 10, 3, 3 * 128 * 32L),
                    DecodeSplit.filledUp(Batch.uniform(128, 1, 8193), 32, 2, kernel));
            // 6,901 to 8,171 tokens: 14 sequences fill no more than the first part, 70 end in the second, 44 in the
            // third.
            Batch uneven = new Batch(
                    Collections.nCopies(128, 1),
                    IntStream.range(0, 128).mapToObj(b -> 6900 + 10 * b).toList());
            assertEquals(
                    new DecodeSplit(704, 10, 3, (71 * 2 + 43 * 3) * 32L), DecodeSplit.filledUp(uneven, 32, 2, kernel));
            // Divided anyhow, of many queries, or short: no difference.
            for (Batch batch :
                    List.of(Batch.uniform(1, 1, 8193), Batch.uniform(128, 4, 8193), Batch.uniform(128, 1, 1000))) {
                assertEquals(DecodeSplit.of(batch, 32, 2, kernel), DecodeSplit.filledUp(batch, 32, 2, kernel));
            }
        }
    }

    @Test
    void partsOfGroupedQueriesCostLittle() {
        // Two tiles and 65 parts cost 40 · (2 + 5) + 65, three tiles and 43 parts 40 · (3 + 5) + 43, and one tile and
        // 129
        // parts 40 · (1 + 5) + 129 where two blocks share a multiprocessor, twice 40 · (1 + 5) where they do not.
        for (DecodeSplit.Kernel kernel : List.of(DecodeSplit.Kernel.GROUPED, DecodeSplit.Kernel.GROUPED_IN_PAIRS)) {
            DecodeSplit split = DecodeSplit.of(Batch.uniform(1, 1, 8193), 32, 2, kernel);
            assertEquals(128, split.chunk());
            assertEquals(65 * 32L, split.partials());
        }
    }

    @Test
    void prefillStartsSoManyHeadsTogetherAsL2Holds() {
        // 512 bytes a key and head: 8,193 keys take 4 MiB and a bit, 100 keys of 16 heads next to nothing.
        PrefillOrder one = PrefillOrder.of(Batch.uniform(1, 8193, 0), 128, 512);
        assertEquals(3, one.headGroup());
        assertEquals(132, one.shape(1000).gridX());
        PrefillOrder few = PrefillOrder.of(Batch.uniform(2, 100, 0), 16, 512);
        assertEquals(16, few.headGroup());
        assertEquals(32, few.shape(1000).gridX());
        assertEquals(1, PrefillOrder.of(Batch.uniform(1, 1, 200_000), 128, 512).headGroup());
    }

    @Test
    void raggedBatchesCountPartsSequenceBySequence() {
        DecodeSplit split =
                DecodeSplit.of(new Batch(List.of(2, 1), List.of(1000, 10)), 16, 1, DecodeSplit.Kernel.LATENT);
        long parts = Math.ceilDiv(1002, split.chunk());
        assertTrue(split.chunk() % 64 == 0);
        assertEquals(parts > 1 ? parts * 2L * 16 : 0, split.partials());
    }
}
