package layerwise.model.spec;

import java.util.Optional;
import layerwise.tensor.ConfigException;

/**
 * Rotary position embedding.
 *
 * @param theta base of the frequencies
 * @param yarn  stretching to longer contexts
 */
public record RopeSpec(double theta, Optional<Yarn> yarn) {
    /**
     * YaRN (Peng et al. 2023, §3): low frequencies are divided by {@code factor}, high ones kept, a ramp between.
     *
     * @param originalLength context length of pre-training
     * @param betaFast       rotations over that length above which a frequency is kept
     * @param betaSlow       rotations below which it is divided
     * @param mscale         length correction of cosine and sine, relative to {@code mscaleAllDim}
     * @param mscaleAllDim   length correction of the softmax; 0 for none
     */
    public record Yarn(
            double factor, int originalLength, double betaFast, double betaSlow, double mscale, double mscaleAllDim) {
        public Yarn {
            if (factor < 1 || originalLength < 1 || betaFast < betaSlow) {
                throw new ConfigException("rope scaling: factor %s, original length %d, betas %s and %s"
                        .formatted(factor, originalLength, betaFast, betaSlow));
            }
        }

        private double correction(double scale) {
            return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
        }

        private double pairWithRotations(double rotations, int dim, double theta) {
            return dim * Math.log(originalLength / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
        }
    }

    public RopeSpec {
        if (theta <= 1) {
            throw new ConfigException("rope_theta: expected a number above 1, got " + theta);
        }
    }

    /** Angle per position of each of the {@code dim/2} pairs. */
    public double[] frequencies(int dim) {
        double[] frequencies = new double[dim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / dim);
        }
        yarn.ifPresent(y -> stretch(frequencies, dim, y));
        return frequencies;
    }

    private void stretch(double[] frequencies, int dim, Yarn yarn) {
        double low = Math.max(Math.floor(yarn.pairWithRotations(yarn.betaFast(), dim, theta)), 0);
        double high = Math.min(Math.ceil(yarn.pairWithRotations(yarn.betaSlow(), dim, theta)), dim - 1);
        double width = low == high ? 0.001 : high - low;
        for (int i = 0; i < frequencies.length; i++) {
            double ramp = Math.clamp((i - low) / width, 0, 1);
            frequencies[i] *= 1 - ramp + ramp / yarn.factor();
        }
    }

    /** Multiplier of every cosine and sine. */
    public double amplitude() {
        return yarn.map(y -> y.mscaleAllDim() == 0
                        ? y.correction(1)
                        : y.correction(y.mscale()) / y.correction(y.mscaleAllDim()))
                .orElse(1.0);
    }

    /** What the softmax scale is multiplied with, twice. */
    public double softmaxCorrection() {
        return yarn.filter(y -> y.mscaleAllDim() != 0)
                .map(y -> y.correction(y.mscaleAllDim()))
                .orElse(1.0);
    }
}
