package layerwise.estimate;

/** Linear least squares of a few unknowns. */
final class NormalEquations {
    private NormalEquations() {}

    /**
     * The x that solves {@code (JᵀJ + damping · diag(JᵀJ)) x = Jᵀr}.
     *
     * @param slopes  columns of J
     * @param residuals r
     */
    static double[] solve(double[][] slopes, double[] residuals, double damping) {
        int n = slopes.length;
        double[][] rows = new double[n][n + 1];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                rows[i][j] = dot(slopes[i], slopes[j]);
            }
            rows[i][i] = rows[i][i] * (1 + damping) + 1e-12;
            rows[i][n] = dot(slopes[i], residuals);
        }
        eliminate(rows);
        double[] x = new double[n];
        for (int i = 0; i < n; i++) {
            x[i] = rows[i][n] / rows[i][i];
        }
        return x;
    }

    /** Gauss and Jordan's elimination; the matrix is positive definite, so its diagonal needs no pivots. */
    private static void eliminate(double[][] rows) {
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows.length; j++) {
                if (j != i) {
                    double factor = rows[j][i] / rows[i][i];
                    for (int k = i; k <= rows.length; k++) {
                        rows[j][k] -= factor * rows[i][k];
                    }
                }
            }
        }
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
