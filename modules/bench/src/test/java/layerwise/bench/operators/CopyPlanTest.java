package layerwise.bench.operators;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import layerwise.op.Buffer;
import layerwise.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CopyPlanTest {
    private static final OptionalLong CACHE = OptionalLong.of(50_000_000);

    private static Buffer buffer(String name, long bytes) {
        return Buffer.of(name, DType.I8, bytes);
    }

    @ParameterizedTest
    @CsvSource({"100000001, 1", "100000000, 2", "50000001, 2", "50000000, 3", "33333334, 3", "1000000, 101"})
    void copiesTogetherExceedTwiceTheCacheAndOneFewerDoNot(long touched, int copies) {
        CopyPlan plan = CopyPlan.of(List.of(buffer("x", touched)), Set.of(), touched, CACHE);
        assertEquals(new CopyPlan(copies, Set.of(), CacheState.COLD), plan);
        assertTrue(copies * touched > 2 * CACHE.getAsLong());
        assertTrue((copies - 1) * touched <= 2 * CACHE.getAsLong());
    }

    @Test
    void withoutAKnownCacheThereIsOneCopy() {
        CopyPlan plan = CopyPlan.of(List.of(buffer("x", 8)), Set.of(), 8, OptionalLong.empty());
        assertEquals(new CopyPlan(1, Set.of(), CacheState.UNKNOWN), plan);
    }

    @Test
    void tinyOperatorsAreWarmAndSaySo() {
        CopyPlan plan = CopyPlan.of(List.of(buffer("x", 100)), Set.of(), 100, CACHE);
        assertEquals(new CopyPlan(CopyPlan.MOST_COPIES, Set.of(), CacheState.WARM), plan);
        assertEquals(
                CacheState.WARM,
                CopyPlan.of(List.of(buffer("x", 100)), Set.of(), 0, CACHE).cache());
    }

    /** A launch that reads more than twice the cache finds none of it there next time. */
    @ParameterizedTest
    @CsvSource({"60000000000", "4831838208", "100000001"})
    void attentionOverALargeCacheNeedsNoCopyOfIt(long bytes) {
        Buffer pool = buffer("pool", bytes);
        CopyPlan plan = CopyPlan.of(List.of(pool, buffer("q", 40_000)), Set.of(), bytes + 40_000, CACHE);
        assertEquals(new CopyPlan(1, Set.of(), CacheState.COLD), plan);
    }

    /** One token appended to a cache of gigabytes. */
    @Test
    void whatIsTouchedInPartIsSharedWhereCopiesOfItWouldNotFit() {
        Buffer pool = buffer("pool", 1L << 30);
        Buffer row = buffer("row", 100_000);
        CopyPlan plan = CopyPlan.of(List.of(pool, row), Set.of(), 100_000, CACHE);
        assertEquals(new CopyPlan(1001, Set.of(pool), CacheState.PARTLY), plan);
    }

    /** Two of many experts have rows. */
    @Test
    void weightsAreNeverShared() {
        Buffer weights = buffer("w", 9L << 30);
        CopyPlan plan = CopyPlan.of(List.of(weights), Set.of(weights), 60_000_000, CACHE);
        assertEquals(new CopyPlan(1, Set.of(), CacheState.WARM), plan);
        Buffer smaller = buffer("w", 8L << 30);
        assertEquals(
                new CopyPlan(2, Set.of(), CacheState.COLD),
                CopyPlan.of(List.of(smaller), Set.of(smaller), 60_000_000, CACHE));
    }
}
