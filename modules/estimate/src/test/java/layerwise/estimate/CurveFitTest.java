package layerwise.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import layerwise.op.Arithmetic;
import layerwise.op.Work;
import org.junit.jupiter.api.Test;

class CurveFitTest {
    private static final Rates RATES = new Rates(3e12, Double.NaN, Map.of(Arithmetic.BF16, 1e15));

    private static Work product(long tokens, long n, long k) {
        return new Work(2 * tokens * n * k, 2 * (tokens * (n + k) + n * k), Arithmetic.BF16);
    }

    @Test
    void findsTheCurveThatMadeTheTimes() {
        Curve truth = new Curve(4000, 0.6, 0.8, 2, List.of());
        List<CurveFit.Sample> samples = new ArrayList<>();
        for (long tokens = 1; tokens <= 8192; tokens *= 2) {
            Work work = product(tokens, 7168, 2048);
            samples.add(new CurveFit.Sample(work, truth.nanos(work, RATES)));
        }
        Curve found = CurveFit.of(samples, RATES);
        assertEquals(4000, found.overheadNanos(), 200);
        assertEquals(0.6, found.compute(), 0.02);
        assertEquals(0.8, found.memory(), 0.03);
        Work between = product(3000, 7168, 2048);
        assertEquals(truth.nanos(between, RATES), found.nanos(between, RATES), 0.01 * truth.nanos(between, RATES));
    }

    @Test
    void measuredSizesCorrectTheFormulaNearThemOnly() {
        Work measured = product(512, 4096, 4096);
        Curve curve = new Curve(
                1000, 0.5, 0.5, 2, List.of(new Curve.Point(measured.flops(), measured.bytes(), Math.log(1.5))));
        double formula = new Curve(1000, 0.5, 0.5, 2, List.of()).nanos(measured, RATES);
        assertEquals(1.5 * formula, curve.nanos(measured, RATES), 0.03 * formula);
        Work far = product(512 * 64, 4096, 4096);
        assertEquals(
                new Curve(1000, 0.5, 0.5, 2, List.of()).nanos(far, RATES),
                curve.nanos(far, RATES),
                0.01 * curve.nanos(far, RATES));
    }

    @Test
    void aFasterMemoryShortensWhatMemoryBindsAndNotTheLaunch() {
        Curve curve = new Curve(4000, 0.6, 0.8, 2, List.of());
        Rates faster = new Rates(6e12, Double.NaN, RATES.flops());
        Work copy = new Work(0, 3_000_000_000L, Arithmetic.BF16);
        assertEquals(4000 + 1e6 / 0.8, curve.nanos(copy, RATES), 1);
        assertEquals(4000 + 0.5e6 / 0.8, curve.nanos(copy, faster), 1);
        assertTrue(curve.nanos(new Work(0, 0, Arithmetic.BF16), faster) == 4000);
    }
}
