package layerwise.model.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import layerwise.op.RankGroup;
import layerwise.op.Share;
import layerwise.tensor.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MappingTest {
    private static Mapping tensorParallel(int rank, int ranks) {
        return new Mapping(new RankGroup(rank, ranks), false);
    }

    @Test
    void dataParallelRanksHaveAllHeadsAndSomeExperts() {
        Mapping mapping = new Mapping(new RankGroup(3, 4), true);
        assertEquals(Share.all(128), mapping.heads("m", 128));
        assertEquals(Share.all(2048), mapping.width(2048, 128));
        assertEquals(new Share(192, 256, 256), mapping.experts("m", 256));
        assertEquals(4, mapping.dataRanks());
        assertEquals(3, mapping.dataRank());
    }

    @Test
    void tensorParallelRanksDivideHeadsAndExperts() {
        Mapping mapping = tensorParallel(3, 4);
        assertEquals(new Share(96, 128, 128), mapping.heads("m", 128));
        assertEquals(new Share(192, 256, 256), mapping.experts("m", 256));
        assertEquals(1, mapping.dataRanks());
        assertEquals(0, mapping.dataRank());
    }

    @ParameterizedTest
    @CsvSource({"18432,128,64", "2048,128,4", "2048,128,64", "2048,64,8", "200,8,3", "7,8,2"})
    void widthsDivideInWholeBlocksWithoutGapsAndEvenly(int width, int block, int ranks) {
        long next = 0;
        long widest = 0;
        for (int rank = 0; rank < ranks; rank++) {
            Share share = tensorParallel(rank, ranks).width(width, block);
            assertEquals(next, share.from());
            assertEquals(0, share.from() % block);
            next = share.to();
            widest = Math.max(widest, share.size());
        }
        assertEquals(width, next);
        assertEquals(Math.min(width, Math.ceilDiv(Math.ceilDiv(width, block), ranks) * block), widest);
    }

    @Test
    void whatDoesNotDivideIsRefusedInOneLine() {
        ConfigException heads =
                assertThrows(ConfigException.class, () -> tensorParallel(0, 3).heads("tiny", 8));
        assertEquals(
                "tiny: 8 attention heads do not divide over 3 ranks; expected enable_attention_dp, or a number of ranks that"
                        + " divides 8",
                heads.getMessage());
        ConfigException experts =
                assertThrows(ConfigException.class, () -> new Mapping(new RankGroup(0, 3), true).experts("tiny", 16));
        assertEquals(
                "tiny: 16 experts do not divide over 3 ranks; expected a number of ranks that divides 16",
                experts.getMessage());
    }
}
