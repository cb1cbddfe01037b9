package layerwise.estimate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import layerwise.op.Work;

/** Finds the curve of one kind from measured times. */
public final class CurveFit {
    private static final double[] SHARPNESS = {1, 1.5, 2, 3, 8};
    private static final double[] LEAST = {Math.log(500), Math.log(0.01), Math.log(0.02)};
    private static final double[] MOST = {Math.log(60_000), Math.log(1.0), Math.log(1.2)};
    private static final double[] STARTS = {0.2, 0.8};
    private static final int STEPS = 60;
    private static final double SLOPE = 1e-5;

    private CurveFit() {}

    /**
     * A measured operator.
     *
     * @param nanos of its kernels together
     */
    public record Sample(Work work, double nanos) {
        public Sample {
            if (!(nanos > 0)) {
                throw new IllegalArgumentException("%s took %s ns".formatted(work, nanos));
            }
        }
    }

    /**
     * The curve with the least sum of squared logarithms of measured over predicted times, and the samples as its points.
     *
     * @param rates nominal rates of the GPU that was measured
     */
    public static Curve of(List<Sample> samples, Rates rates) {
        Curve best = null;
        double least = Double.POSITIVE_INFINITY;
        for (double sharpness : SHARPNESS) {
            double[] at = descend(samples, rates, sharpness);
            double error = error(samples, rates, curve(at, sharpness));
            if (error < least) {
                least = error;
                best = curve(at, sharpness);
            }
        }
        return withPoints(best, samples, rates);
    }

    /** Samples of the same work as one, of the geometric mean of their times. */
    public static List<Sample> merged(List<Sample> samples) {
        Map<Work, List<Sample>> same = new LinkedHashMap<>();
        samples.forEach(sample ->
                same.computeIfAbsent(sample.work(), first -> new ArrayList<>()).add(sample));
        List<Sample> merged = new ArrayList<>();
        same.forEach((work, all) -> merged.add(new Sample(
                work,
                Math.exp(all.stream()
                        .mapToDouble(sample -> Math.log(sample.nanos()))
                        .average()
                        .orElseThrow()))));
        return merged;
    }

    /** Levenberg and Marquardt's steps in the logarithms of overhead and shares, from two starts. */
    private static double[] descend(List<Sample> samples, Rates rates, double sharpness) {
        double shortest = samples.stream().mapToDouble(Sample::nanos).min().orElseThrow();
        double[] best = null;
        for (double share : STARTS) {
            double[] at = descend(
                    samples, rates, sharpness, clamped(Math.log(share * shortest), Math.log(0.5), Math.log(0.7)));
            if (best == null
                    || error(samples, rates, curve(at, sharpness)) < error(samples, rates, curve(best, sharpness))) {
                best = at;
            }
        }
        return best;
    }

    private static double[] descend(List<Sample> samples, Rates rates, double sharpness, double[] start) {
        double[] at = start;
        double error = error(samples, rates, curve(at, sharpness));
        double damping = 1e-2;
        for (int step = 0; step < STEPS && damping < 1e8; step++) {
            double[] now = residuals(samples, rates, curve(at, sharpness));
            double[][] slopes = new double[at.length][];
            for (int axis = 0; axis < at.length; axis++) {
                double[] moved = at.clone();
                moved[axis] += SLOPE;
                slopes[axis] = residuals(samples, rates, curve(moved, sharpness));
                for (int i = 0; i < now.length; i++) {
                    slopes[axis][i] = (slopes[axis][i] - now[i]) / SLOPE;
                }
            }
            double[] change = NormalEquations.solve(slopes, now, damping);
            double[] next = clamped(at[0] - change[0], at[1] - change[1], at[2] - change[2]);
            double after = error(samples, rates, curve(next, sharpness));
            if (after < error) {
                at = next;
                error = after;
                damping /= 5;
            } else {
                damping *= 5;
            }
        }
        return at;
    }

    private static double[] clamped(double... at) {
        for (int axis = 0; axis < at.length; axis++) {
            at[axis] = Math.clamp(at[axis], LEAST[axis], MOST[axis]);
        }
        return at;
    }

    private static Curve curve(double[] at, double sharpness) {
        return new Curve(Math.exp(at[0]), Math.exp(at[1]), Math.exp(at[2]), sharpness, List.of());
    }

    private static double error(List<Sample> samples, Rates rates, Curve curve) {
        double sum = 0;
        for (double residual : residuals(samples, rates, curve)) {
            sum += residual * residual;
        }
        return sum;
    }

    /** Logarithms of predicted over measured times. */
    private static double[] residuals(List<Sample> samples, Rates rates, Curve curve) {
        return samples.stream()
                .mapToDouble(sample -> Math.log(curve.formulaNanos(sample.work(), rates) / sample.nanos()))
                .toArray();
    }

    /** A formula with measured sizes as its points: what there is where they are too few to fit one. */
    public static Curve withPoints(Curve formula, List<Sample> samples, Rates rates) {
        List<Curve.Point> points = new ArrayList<>();
        for (Sample sample : samples) {
            points.add(new Curve.Point(
                    sample.work().flops(),
                    sample.work().bytes(),
                    Math.log(sample.nanos() / formula.formulaNanos(sample.work(), rates))));
        }
        return new Curve(formula.overheadNanos(), formula.compute(), formula.memory(), formula.sharpness(), points);
    }
}
