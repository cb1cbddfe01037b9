package layerwise.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RegionTest {
    /** Of stacks of three matrices of ten rows and eight columns. */
    static Stream<Region> regions() {
        Share allRows = Share.all(10);
        Share allColumns = Share.all(8);
        return Stream.of(
                new Region(Share.all(3), List.of(allRows), allColumns),
                new Region(new Share(1, 3, 3), List.of(allRows), allColumns),
                new Region(Share.all(3), List.of(allRows), new Share(2, 6, 8)),
                new Region(new Share(2, 3, 3), List.of(new Share(0, 3, 10)), allColumns),
                new Region(Share.all(3), List.of(new Share(1, 3, 10), new Share(6, 8, 10)), allColumns),
                new Region(new Share(0, 2, 3), List.of(new Share(1, 3, 10), new Share(6, 8, 10)), new Share(4, 8, 8)));
    }

    /** Element numbers of a stack, cut out by nested loops. */
    private static long[] cut(Region region) {
        LongStream.Builder elements = LongStream.builder();
        for (long e = region.matrices().from(); e < region.matrices().to(); e++) {
            for (Share run : region.rows()) {
                for (long n = run.from(); n < run.to(); n++) {
                    for (long k = region.columns().from(); k < region.columns().to(); k++) {
                        elements.add((e * 10 + n) * 8 + k);
                    }
                }
            }
        }
        return elements.build().toArray();
    }

    @ParameterizedTest
    @MethodSource("regions")
    void elementsAreThoseOfTheBox(Region region) {
        long[] expected = cut(region);
        assertEquals(expected.length, region.elements());
        assertArrayEquals(
                expected,
                LongStream.range(0, expected.length).map(region::source).toArray());
    }

    @ParameterizedTest
    @MethodSource("regions")
    void runsCoverEveryElementOnce(Region region) {
        long[] covered = new long[(int) region.elements()];
        Arrays.fill(covered, -1);
        for (Region.Run run : region.runs()) {
            for (long row = 0; row < run.rows(); row++) {
                for (long column = 0; column < run.columns(); column++) {
                    int at = (int) (run.target() + row * run.columns() + column);
                    assertEquals(-1, covered[at], region.toString());
                    covered[at] = run.source() + row * run.step() + column;
                }
            }
        }
        assertArrayEquals(cut(region), covered, region.toString());
    }

    @Test
    void wholeMatricesAreOneRun() {
        Region experts = new Region(new Share(4, 8, 16), List.of(Share.all(10)), Share.all(8));
        assertEquals(List.of(new Region.Run(0, 4 * 80, 1, 4 * 80, 4 * 80)), experts.runs());
    }

    @Test
    void packedElementsAreCountedInBytes() {
        Region region = new Region(Share.all(1), List.of(Share.all(4)), new Share(16, 32, 64));
        assertEquals(new Share(8, 16, 32), region.packed(2).columns());
        assertThrows(
                IllegalArgumentException.class,
                () -> new Region(Share.all(1), List.of(Share.all(4)), new Share(1, 33, 64)).packed(2));
    }

    @Test
    void sharesOfHeadsAndScalesKeepTheirPlace() {
        Share heads = new Share(4, 8, 16);
        assertEquals(new Share(512, 1024, 2048), heads.times(128));
        assertEquals(new Share(4, 8, 16), heads.times(128).blocks(128));
        assertEquals(new Share(1, 3, 3), new Share(128, 300, 300).blocks(128), "the last block may be short");
    }
}
