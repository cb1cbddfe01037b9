package layerwise.bench.verify;

import java.util.Locale;
import layerwise.tensor.HostTensor;

/**
 * How an output compares with the reference.
 *
 * @param worst   largest error as a share of what is allowed; at most 1 where all is well
 * @param error   largest absolute error
 * @param wrong   elements beyond what is allowed
 * @param example the first of them, with both values, or nothing
 */
record Comparison(double worst, double error, long wrong, String example) {
    /** Of two tensors of one shape; rows lie along the last axis. */
    static Comparison of(HostTensor actual, HostTensor expected, Tolerance tolerance) {
        float[] a = actual.copyToFloats();
        float[] b = expected.copyToFloats();
        int width = (int) Math.max(1, expected.shape().dim(-1));
        double worst = 0;
        double error = 0;
        long wrong = 0;
        String example = "";
        for (int row = 0; row < b.length / width; row++) {
            double scale = rms(b, row * width, width);
            for (int i = row * width; i < (row + 1) * width; i++) {
                if (bothUnset(a[i], b[i])) {
                    continue;
                }
                double difference = Math.abs((double) a[i] - b[i]);
                double allowed = tolerance.relative() * Math.abs(b[i]) + tolerance.ofRow() * scale;
                error = Math.max(error, difference);
                double share = difference == 0 ? 0 : difference / allowed;
                worst = Math.max(worst, Double.isNaN(share) ? Double.POSITIVE_INFINITY : share);
                if (!(difference <= allowed)) {
                    if (wrong++ == 0) {
                        example = String.format(
                                Locale.ROOT,
                                "[%d,%d]: %s, expected %s ± %.2e",
                                row,
                                i - row * width,
                                a[i],
                                b[i],
                                allowed);
                    }
                }
            }
        }
        return new Comparison(worst, error, wrong, example);
    }

    /** Rows that are not in use keep the poison on both sides. */
    private static boolean bothUnset(float a, float b) {
        return Float.isNaN(a) && Float.isNaN(b);
    }

    private static double rms(float[] values, int from, int count) {
        double sum = 0;
        int counted = 0;
        for (int i = from; i < from + count; i++) {
            if (!Float.isNaN(values[i])) {
                sum += (double) values[i] * values[i];
                counted++;
            }
        }
        return counted == 0 ? 0 : Math.sqrt(sum / counted);
    }

    boolean isRight() {
        return wrong == 0;
    }
}
