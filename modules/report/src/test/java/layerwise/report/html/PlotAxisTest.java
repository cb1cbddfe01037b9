package layerwise.report.html;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlotAxisTest {
    @ParameterizedTest
    @CsvSource({
        "1023, 131071, 1k 2k 4k 8k 16k 32k 64k 128k",
        "1, 131072, 1 4 16 64 256 1k 4k 16k 64k", // powers of four where powers of two would touch
        "1, 512, 1 2 4 8 16 32 64 128 256 512",
        "1, 1048576, 1 4 16 64 256 1k 4k 16k 64k 256k 1M",
        "1, 8, 1 2 3 4 5 6 7 8",
        "1024, 8192, 1k 2k 3k 4k 5k 6k 7k 8k",
        "0, 16, 0 2 4 6 8 10 12 14 16", // no logarithm of 0
        "1000, 1001, 1000 1001"
    })
    void countsAreRoundInBinary(double least, double most, String labels) {
        PlotAxis axis = PlotAxis.ofCounts(least, most, 72, 712);
        assertEquals(labels, labels(axis));
        assertApart(axis, 40);
    }

    @ParameterizedTest
    @CsvSource({
        "60, 640, 100 200 500", // a decade and a little
        "0.5, 20, 0.5 1 2 5 10 20",
        "250, 101000, 200 500 1k 2k 5k 10k 20k 50k 100k",
        "1, 1e9, 1 10 100 1k 10k 100k 1M 10M 100M 1000M",
        "100, 450, 0 100 200 300 400",
        "900, 1400, 0 200 400 600 800 1k 1.2k 1.4k",
        "0.02, 0.1, 0 0.02 0.04 0.06 0.08 0.1"
    })
    void timesAreRoundInDecimal(double least, double most, String labels) {
        PlotAxis axis = PlotAxis.ofTimes(least, most, 464, 64);
        assertEquals(labels, labels(axis));
        assertApart(axis, 18);
    }

    @Test
    void isLogarithmicBeyondADecade() {
        assertTrue(!PlotAxis.ofTimes(1, 10, 400, 0).logarithmic());
        assertTrue(PlotAxis.ofTimes(1, 10.1, 400, 0).logarithmic());
        PlotAxis axis = PlotAxis.ofCounts(16, 4096, 0, 100);
        assertEquals(50, axis.at(256), 1e-9);
        assertEquals(axis.at(256) - axis.at(128), axis.at(32) - axis.at(16), 1e-9);
    }

    private static String labels(PlotAxis axis) {
        return axis.ticks().stream().map(PlotAxis.Tick::label).collect(Collectors.joining(" "));
    }

    private static void assertApart(PlotAxis axis, double distance) {
        for (int i = 1; i < axis.ticks().size(); i++) {
            double from = axis.at(axis.ticks().get(i - 1).value());
            double to = axis.at(axis.ticks().get(i).value());
            assertTrue(Math.abs(to - from) >= distance, axis.ticks().get(i) + " is too near");
        }
    }
}
