package layerwise.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;

class CollectivesTest {
    private static final RankGroup SECOND_OF_THREE = new RankGroup(1, 3);
    private static final RankTokens RAGGED = new RankTokens(SECOND_OF_THREE, List.of(5, 2, 0));

    private static TensorRef bf16(String name, long... dims) {
        return Buffer.of(name, DType.BF16, dims).whole();
    }

    private static AllGather.Part part(DType dtype, long width) {
        return new AllGather.Part(
                Buffer.of("x", dtype, 2, width).whole(),
                Buffer.of("y", dtype, 7, width).whole());
    }

    @Test
    void gatheredRowsAreThoseOfRankZeroFirst() {
        assertEquals(7, RAGGED.total());
        assertEquals(2, RAGGED.own());
        assertEquals(5, RAGGED.first());
        assertEquals(List.of(0, 5, 7), List.of(RAGGED.first(0), RAGGED.first(1), RAGGED.first(2)));
        assertThrows(IllegalArgumentException.class, () -> new RankTokens(SECOND_OF_THREE, List.of(1, 2)));
        assertThrows(IllegalArgumentException.class, () -> new RankTokens(SECOND_OF_THREE, List.of(1, 2, -1)));
        assertThrows(IllegalArgumentException.class, () -> new RankGroup(3, 3));
    }

    @Test
    void allReduceSendsTwoThirdsOfTheTensorTwiceOverThreeRanks() {
        AllReduce op = new AllReduce(bf16("x", 6, 64), bf16("y", 6, 64), SECOND_OF_THREE);
        assertEquals(2 * (6 * 64 * 2) * 2 / 3, op.work().linkBytes());
        assertEquals(2 * 6 * 64 * 2, op.work().bytes());
        assertEquals(
                0,
                new AllReduce(bf16("x", 6, 64), bf16("y", 6, 64), RankGroup.alone())
                        .work()
                        .linkBytes());
    }

    @Test
    void allGatherTakesInWhatOthersBring() {
        AllGather op = new AllGather(List.of(part(DType.BF16, 16), part(DType.I32, 4)), RAGGED);
        assertEquals(5 * (16 * 2 + 4 * 4), op.work().linkBytes());
        assertEquals((2 + 7) * (16 * 2 + 4 * 4), op.work().bytes());
    }

    @Test
    void reduceScatterIsAllGatherReversedOnTheLinks() {
        ReduceScatter op = new ReduceScatter(bf16("x", 7, 16), bf16("y", 2, 16), RAGGED);
        assertEquals(
                new AllGather(List.of(part(DType.BF16, 16)), RAGGED).work().linkBytes(),
                op.work().linkBytes());
    }

    @Test
    void allToAllMovesRowsOnceForEachRankThatHasAnExpert() {
        RankTokens tokens = RankTokens.uniform(new RankGroup(0, 4), 128);
        // One expert of eight for every token: it is on another rank with probability 3/4.
        ExchangeLoad one = ExchangeLoad.expected(tokens, 1, 8);
        assertEquals(128 * 0.75, one.sent(), 1e-9);
        assertEquals(128 * 0.75, one.received(), 1e-9);
        // All experts: every token goes everywhere.
        assertEquals(128 * 3, ExchangeLoad.expected(tokens, 8, 8).sent(), 1e-9);
        // DeepSeek-R1's eight of 256 on four ranks: a rank is missed with (192 choose 8) / (256 choose 8), 9.65 %.
        assertEquals(
                128 * 3 * (1 - 0.09645), ExchangeLoad.expected(tokens, 8, 256).sent(), 0.2);
    }

    @Test
    void lowPrecisionCombineHalvesWhatTravels() {
        ExchangeLoad load = new ExchangeLoad(3, 5);
        AllToAllCombine stored = combine(AllToAllCombine.Wire.STORED, load);
        AllToAllCombine fp8 = combine(AllToAllCombine.Wire.FP8, load);
        assertEquals(5 * 256 * 2, stored.work().linkBytes());
        assertEquals(5 * (256 + 2 * 4), fp8.work().linkBytes());
        assertTrue(fp8.label().endsWith("NVLINK_TWO_SIDED fp8"), fp8.label());
    }

    private static AllToAllCombine combine(AllToAllCombine.Wire wire, ExchangeLoad load) {
        return new AllToAllCombine(
                bf16("x", 7, 256),
                Buffer.of("ids", DType.I32, 2, 4).whole(),
                bf16("y", 2, 256),
                RAGGED,
                9,
                AllToAllMethod.NVLINK_TWO_SIDED,
                wire,
                load);
    }

    @Test
    void tensorsThatDoNotFitAreNamed() {
        IllegalArgumentException shape = assertThrows(
                IllegalArgumentException.class, () -> new ReduceScatter(bf16("x", 6, 16), bf16("y", 2, 16), RAGGED));
        assertEquals("ReduceScatter: x must be [7,16] but is x BF16[6,16]", shape.getMessage());
        IllegalArgumentException gaps = assertThrows(
                IllegalArgumentException.class,
                () -> new AllReduce(bf16("x", 4, 32).slice(1, 0, 16), bf16("y", 4, 16), SECOND_OF_THREE));
        assertTrue(gaps.getMessage().contains("rows with gaps: x"), gaps.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> new AllToAllDispatch(
                        part(DType.BF16, 16),
                        part(DType.I32, 4),
                        part(DType.F32, 4),
                        RAGGED,
                        8,
                        AllToAllMethod.DEEP_EP,
                        new ExchangeLoad(0, 0)),
                "eight experts do not divide over three ranks");
    }
}
