package layerwise.reference;

import layerwise.op.ScaleFormat;
import layerwise.op.Weight;
import layerwise.tensor.Float8E4M3;

/** Activations as a product with block-scaled FP8 weights sees them: E4M3, one scale for 128 elements of a row. */
final class Rounding {
    /** Keeps the scale of a block of zeros away from zero. */
    private static final float LEAST = 1e-4f;

    private Rounding() {}

    /** Replaces a row's elements by what their codes stand for. */
    static void round(float[] row, ScaleFormat format) {
        float[] scales = divide(row, format);
        for (int k = 0; k < row.length; k++) {
            row[k] = Float8E4M3.decode(Float8E4M3.encode(row[k])) * scales[k / Weight.ROUNDED_BLOCK];
        }
    }

    /** Divides a row's elements by the scales of their blocks, which it returns; what becomes of them in E4M3 are the codes. */
    static float[] divide(float[] row, ScaleFormat format) {
        float[] scales = new float[Math.ceilDiv(row.length, Weight.ROUNDED_BLOCK)];
        for (int first = 0; first < row.length; first += Weight.ROUNDED_BLOCK) {
            int end = Math.min(first + Weight.ROUNDED_BLOCK, row.length);
            float largest = LEAST;
            for (int k = first; k < end; k++) {
                largest = Math.abs(row[k]) > largest ? Math.abs(row[k]) : largest; // NaN concerns its own element only
            }
            float ratio = largest / Float8E4M3.MAX;
            float scale = switch (format) {
                case FLOAT32 -> ratio;
                case UE8M0 -> powerOfTwo(ratio);
            };
            for (int k = first; k < end; k++) {
                row[k] /= scale;
            }
            scales[first / Weight.ROUNDED_BLOCK] = scale;
        }
        return scales;
    }

    /** Multiplies a vector with the Hadamard matrix of its order, a power of two, over the order's root. */
    static void hadamard(float[] x) {
        for (int step = 1; step < x.length; step *= 2) {
            for (int i = 0; i < x.length; i++) {
                if ((i & step) == 0) {
                    float a = x[i];
                    float b = x[i + step];
                    x[i] = a + b;
                    x[i + step] = a - b;
                }
            }
        }
        float factor = (float) (1 / Math.sqrt(x.length));
        for (int i = 0; i < x.length; i++) {
            x[i] *= factor;
        }
    }

    /** Divides a vector by the power of two at or above {@code max(amax, 1e-4) / 448}, which it returns. */
    static float divideByPowerOfTwo(float[] x) {
        float largest = LEAST;
        for (float value : x) {
            largest = Math.abs(value) > largest ? Math.abs(value) : largest;
        }
        float scale = powerOfTwo(largest / Float8E4M3.MAX);
        for (int i = 0; i < x.length; i++) {
            x[i] /= scale;
        }
        return scale;
    }

    /** The one at or above a normal number. */
    private static float powerOfTwo(float ratio) {
        int exponent = Math.getExponent(ratio);
        return Math.scalb(1f, ratio > Math.scalb(1f, exponent) ? exponent + 1 : exponent);
    }
}
