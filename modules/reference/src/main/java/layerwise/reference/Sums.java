package layerwise.reference;

/** Sums in float64. */
final class Sums {
    private Sums() {}

    /** Σ a·b. Partial sums let the processor overlap the additions. */
    static double dot(float[] a, double[] b) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = 0;
        for (; i + 3 < b.length; i += 4) {
            s0 = Math.fma((double) a[i], b[i], s0);
            s1 = Math.fma((double) a[i + 1], b[i + 1], s1);
            s2 = Math.fma((double) a[i + 2], b[i + 2], s2);
            s3 = Math.fma((double) a[i + 3], b[i + 3], s3);
        }
        for (; i < b.length; i++) {
            s0 = Math.fma((double) a[i], b[i], s0);
        }
        return s0 + s1 + (s2 + s3);
    }

    /**
     * {@code sums[j] += Σ_k weights[k] · rows[k][from + j]} over {@code count} rows. Neighbouring sums go in step in the
     * processor's vector units, several times as fast as {@link #dot}; four rows at once spare them memory.
     */
    static void weighted(double[] sums, double[] weights, float[][] rows, int from, int count) {
        int k = 0;
        for (; k + 3 < count; k += 4) {
            double w0 = weights[k];
            double w1 = weights[k + 1];
            double w2 = weights[k + 2];
            double w3 = weights[k + 3];
            float[] r0 = rows[k];
            float[] r1 = rows[k + 1];
            float[] r2 = rows[k + 2];
            float[] r3 = rows[k + 3];
            for (int j = 0; j < sums.length; j++) {
                double two = Math.fma(w1, r1[from + j], Math.fma(w0, r0[from + j], sums[j]));
                sums[j] = Math.fma(w3, r3[from + j], Math.fma(w2, r2[from + j], two));
            }
        }
        for (; k < count; k++) {
            double weight = weights[k];
            float[] row = rows[k];
            for (int j = 0; j < sums.length; j++) {
                sums[j] = Math.fma(weight, row[from + j], sums[j]);
            }
        }
    }

    static double[] widened(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /** Scores become the probabilities that their exponentials have. */
    static void softmax(double[] scores) {
        double max = Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            max = Math.max(max, score);
        }
        double total = 0;
        for (int s = 0; s < scores.length; s++) {
            scores[s] = Math.exp(scores[s] - max);
            total += scores[s];
        }
        for (int s = 0; s < scores.length; s++) {
            scores[s] /= total;
        }
    }
}
