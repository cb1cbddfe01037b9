package layerwise.bench.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import layerwise.model.balance.Assignment;
import layerwise.model.balance.BalanceMethod;
import layerwise.model.balance.ExpertSelection;
import layerwise.model.layer.Traffic;
import layerwise.model.parallel.Mapping;
import layerwise.model.spec.ModelCatalog;
import layerwise.model.spec.ModelSpec;
import layerwise.op.AllToAllCombine.Wire;
import layerwise.op.ExpertLoad;
import layerwise.op.RankGroup;
import layerwise.op.RankTokens;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tables of the small model: 16 experts, four of them for each token. */
class BalancingTest {
    private static final ModelSpec MODEL =
            new ModelCatalog(Path.of(System.getProperty("layerwise.home"), "configs", "models")).find("tiny-deepseek");

    private static Traffic traffic(Mapping mapping, int tokens, OptionalInt chunk) {
        return new Traffic(RankTokens.uniform(mapping.group(), tokens), Optional.empty(), Wire.STORED, chunk);
    }

    private static ExpertTable table(Mapping mapping, BalanceMethod method, double ratio, Traffic traffic) {
        return new Balancing(MODEL, List.of(3), mapping, method, Map.of()).table(traffic, OptionalDouble.of(ratio));
    }

    @ParameterizedTest
    @CsvSource({
        "BALANCED,1,true",
        "BALANCED,1,false",
        "IMBALANCED_RANKS,0,true",
        "IMBALANCED_RANKS,0.5,true",
        "IMBALANCED_EXPERTS,0,true",
        "IMBALANCED_EXPERTS,0.5,false"
    })
    void loadsOfAllRanksCountEveryPairOnce(BalanceMethod method, double ratio, boolean attentionDp) {
        int tokens = 12;
        long rows = 0;
        double sent = 0;
        double received = 0;
        for (int rank = 0; rank < 4; rank++) {
            Mapping mapping = new Mapping(new RankGroup(rank, 4), attentionDp);
            ExpertTable.Chunk chunk = table(mapping, method, ratio, traffic(mapping, tokens, OptionalInt.empty()))
                    .chunks()
                    .getFirst();
            rows += chunk.load().rows();
            sent += chunk.exchange().sent();
            received += chunk.exchange().received();
            assertTrue(chunk.load().activeExperts() <= 4);
        }
        assertEquals((attentionDp ? 4L : 1L) * tokens * 4, rows);
        assertEquals(sent, received);
        assertTrue(attentionDp ? sent > 0 : sent == 0);
    }

    @ParameterizedTest
    @CsvSource({"BALANCED,1", "IMBALANCED_RANKS,0.3", "IMBALANCED_EXPERTS,0.3"})
    void ranksThatAreAlikeHaveTheSameLoads(BalanceMethod method, double ratio) {
        Mapping first = new Mapping(new RankGroup(0, 4), true);
        List<Integer> alike = new Balancing(MODEL, List.of(3), first, method, Map.of())
                .alike(traffic(first, 7, OptionalInt.of(9)), OptionalDouble.of(ratio));
        for (int rank = 0; rank < 4; rank++) {
            assertEquals(loads(rank, method, ratio), loads(alike.get(rank), method, ratio), alike + " at " + rank);
        }
    }

    private static List<Object> loads(int rank, BalanceMethod method, double ratio) {
        Mapping mapping = new Mapping(new RankGroup(rank, 4), true);
        return table(mapping, method, ratio, traffic(mapping, 7, OptionalInt.of(9))).chunks().stream()
                .<Object>map(chunk -> List.of(chunk.load(), chunk.exchange()))
                .toList();
    }

    @Test
    void allTokensOnOneRankLeaveTheOthersIdle() {
        for (int rank = 0; rank < 4; rank++) {
            Mapping mapping = new Mapping(new RankGroup(rank, 4), true);
            ExpertTable.Chunk chunk = table(
                            mapping, BalanceMethod.IMBALANCED_RANKS, 0, traffic(mapping, 8, OptionalInt.empty()))
                    .chunks()
                    .getFirst();
            assertEquals(rank == 0 ? new ExpertLoad(4 * 8 * 4, 4) : new ExpertLoad(0, 0), chunk.load());
            assertEquals(rank == 0 ? 0 : 8, chunk.exchange().sent());
            assertEquals(rank == 0 ? 24 : 0, chunk.exchange().received());
        }
    }

    /** Each chunk is a call of the router of its own, so its rows start over. */
    @Test
    void everyChunkStartsAgainWithTheFirstRow() {
        Mapping mapping = new Mapping(new RankGroup(1, 2), true);
        ExpertTable table = table(mapping, BalanceMethod.BALANCED, 1, traffic(mapping, 5, OptionalInt.of(4)));
        assertEquals(3, table.chunks().size(), "ten tokens of both ranks, four at once");
        int[] counts = {2, 2, 1};
        for (int i = 0; i < 3; i++) {
            int[] expected = new ExpertSelection(counts[i], 4, 16, 2, 2, 1)
                    .select(BalanceMethod.BALANCED, OptionalDouble.empty(), Assignment.ROUND_ROBIN)
                    .orElseThrow();
            assertEquals(
                    Arrays.stream(expected).boxed().toList(),
                    table.chunks().get(i).ids(),
                    "chunk " + i);
        }
        assertEquals(5 * 4, table.ids().length);
    }

    @Test
    void theRouterDecidesWhereNothingIsModified() {
        Mapping mapping = Mapping.alone();
        assertTrue(table(mapping, BalanceMethod.NOT_MODIFIED, 1, traffic(mapping, 4, OptionalInt.empty()))
                .isRouted());
        assertTrue(
                new Balancing(MODEL, List.of(0), mapping, BalanceMethod.BALANCED, Map.of())
                        .table(traffic(mapping, 4, OptionalInt.empty()), OptionalDouble.empty())
                        .isRouted(),
                "a dense layer");
    }

    @Test
    void tensorParallelRanksChunkTheirCommonTokens() {
        Mapping mapping = new Mapping(new RankGroup(0, 4), false);
        List<RankTokens> chunks = traffic(mapping, 7, OptionalInt.of(3)).chunks(mapping.dataRanks());
        assertEquals(List.of(3, 2, 2), chunks.stream().map(RankTokens::own).toList());
        Mapping data = new Mapping(new RankGroup(0, 4), true);
        assertEquals(
                List.of(1, 1, 1, 1, 1, 1, 1, 0, 0, 0),
                traffic(data, 7, OptionalInt.of(3)).chunks(data.dataRanks()).stream()
                        .map(RankTokens::own)
                        .toList());
    }
}
