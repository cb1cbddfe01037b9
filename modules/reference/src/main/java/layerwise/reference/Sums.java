package layerwise.reference;

/** Sums in float64. */
final class Sums {
    private Sums() {}

    /** Σ a·b over {@code length} elements. Four partial sums let the processor overlap the additions. */
    static double dot(float[] a, int aFrom, float[] b, int bFrom, int length) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = 0;
        for (; i + 3 < length; i += 4) {
            s0 += (double) a[aFrom + i] * b[bFrom + i];
            s1 += (double) a[aFrom + i + 1] * b[bFrom + i + 1];
            s2 += (double) a[aFrom + i + 2] * b[bFrom + i + 2];
            s3 += (double) a[aFrom + i + 3] * b[bFrom + i + 3];
        }
        for (; i < length; i++) {
            s0 += (double) a[aFrom + i] * b[bFrom + i];
        }
        return s0 + s1 + (s2 + s3);
    }

    static double dot(float[] a, float[] b) {
        return dot(a, 0, b, 0, a.length);
    }

    /** Σ a·b where a is float64 already. */
    static double dot(double[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
