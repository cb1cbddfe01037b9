package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import layerwise.report.profile.MannWhitney;
import layerwise.report.profile.Samples;
import layerwise.report.profile.ShortNames;
import layerwise.report.render.Numbers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {
    /** Expected values were printed by CPython: {@code f'{x / 1000:.1f}'}. */
    @ParameterizedTest
    @CsvSource({
        "1250, 1.2",
        "1350, 1.4",
        "250, 0.2",
        "750, 0.8",
        "-40, -0.0",
        "0, 0.0",
        "-1250, -1.2",
        "99999999, 100000.0"
    })
    void roundsMicrosecondsAsPythonDoes(double nanos, String expected) {
        assertEquals(expected, Numbers.micros(nanos));
    }

    /** Expected values were printed by {@code numpy.percentile(x, 90)}. */
    @Test
    void interpolatesQuantilesLinearly() {
        Samples samples = new Samples(new long[] {10, 30, 20, 50, 40, 70});
        assertEquals(35, samples.median());
        assertEquals(60, samples.p90());
        assertEquals(10, samples.min());
        assertEquals(70, samples.max());
    }

    /** By hand: 9 exceeds 7 and 8, 11 exceeds 7, 8 and 10, so U = 5; z = (32 - 5 - 0.5) / sqrt(64 * 17 / 12) = 2.783. */
    @Test
    void testsDifferencesByRank() {
        Samples low = new Samples(new long[] {1, 2, 3, 4, 5, 6, 9, 11});
        Samples high = new Samples(new long[] {7, 8, 10, 12, 13, 14, 15, 16});
        assertEquals(0.00538, MannWhitney.pValue(low, high), 0.00001);
        assertEquals(1, MannWhitney.pValue(new Samples(new long[9]), new Samples(new long[9])));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "void <unnamed>::f<(int)3>(int); f",
                "void f(int); void f",
                "a::b::<unnamed>::k<c::d>(e::f); k",
                "plain_name_v2; plain_name_v2",
                "void at::native::<unnamed>::launch_clamp_scalar(x); torchClamp",
                "void at::native::reduce_kernel<512, at::native::sum_functor<float>>(T); torchReduceSum",
                "cute_dsl_kernels_x_blockscaled_gemm_persistent_y; CuteDSLGemm"
            })
    void shortensNames(String fullName, String expected) {
        assertEquals(expected, new ShortNames().of(fullName));
    }
}
