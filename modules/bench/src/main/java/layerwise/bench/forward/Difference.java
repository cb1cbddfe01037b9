package layerwise.bench.forward;

import layerwise.tensor.HostTensor;

/**
 * How far a tensor is from another.
 *
 * @param relative ‖a−b‖₂ / ‖b‖₂ over the tokens that count; infinite where a holds a NaN
 * @param leftOut  tokens that do not count
 */
record Difference(double relative, int leftOut) {
    /**
     * Of {@code a} from {@code b}, both {@code [B,S,H]}.
     *
     * @param leftOut tokens that do not count, by {@code b·S+s}; may be shorter
     */
    static Difference of(HostTensor a, HostTensor b, boolean[] leftOut) {
        float[] actual = a.copyToFloats();
        float[] expected = b.copyToFloats();
        int width = (int) b.shape().dim(-1);
        double error = 0;
        double norm = 0;
        int skipped = 0;
        for (int token = 0; token < expected.length / width; token++) {
            if (token < leftOut.length && leftOut[token]) {
                skipped++;
                continue;
            }
            for (int i = token * width; i < (token + 1) * width; i++) {
                double difference = (double) actual[i] - expected[i];
                error += difference * difference;
                norm += (double) expected[i] * expected[i];
            }
        }
        double relative = norm == 0 ? (error == 0 ? 0 : Double.POSITIVE_INFINITY) : Math.sqrt(error / norm);
        return new Difference(Double.isNaN(relative) ? Double.POSITIVE_INFINITY : relative, skipped);
    }
}
