package layerwise.bench.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Locale;
import java.util.OptionalDouble;
import layerwise.trace.ProblemSpec;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void interpolatesPercentilesBetweenOrderStatistics() {
        // Index 0.9 * 3 = 2.7 lies between 3 and 10: 3 + 0.7 * 7.
        Statistics statistics = Statistics.of(new double[] {10, 1, 3, 2});

        assertEquals(new Statistics(4, 2.5, 1, 10, 3 + (((0.9 * 3) - 2) * 7)), statistics);
    }

    @Test
    void aSingleTimeIsEveryStatistic() {
        assertEquals(new Statistics(7, 7, 7, 7, 7), Statistics.of(new double[] {7}));
    }

    @Test
    void refusesNoTimes() {
        assertThrows(IllegalArgumentException.class, () -> Statistics.of(new double[0]));
    }

    @Test
    void printsTheLineInEveryLocale() {
        Locale before = Locale.getDefault();
        try {
            for (String tag : new String[] {"en-US", "de-DE", "ar-EG-u-nu-arab"}) {
                Locale.setDefault(Locale.forLanguageTag(tag));
                assertEquals(
                        "[RANK 3]  batch_size 128  seq_len_q 1  seq_len_kv_cache 8193  balance_ratio 0.5"
                                + "  mean 1234.5  median 1200.2  min 0.1  max 2000.0  P90 1300.0  (us)",
                        new Statistics(1234.5, 1200.25, 0.15, 2000, 1299.96)
                                .line(3, new ProblemSpec(128, 1, 8193, OptionalDouble.of(0.5))));
            }
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void leavesTheRatioOutWhereThereIsNone() {
        assertEquals(
                "[RANK 0]  batch_size 1  seq_len_q 8193  seq_len_kv_cache 0"
                        + "  mean 1.0  median 1.0  min 1.0  max 1.0  P90 1.0  (us)",
                new Statistics(1, 1, 1, 1, 1).line(0, new ProblemSpec(1, 8193, 0, OptionalDouble.empty())));
    }
}
