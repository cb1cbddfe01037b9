package layerwise.reference;

import layerwise.op.Weight;
import layerwise.tensor.Float8E4M3;

/** Activations as a product with block-scaled FP8 weights sees them: E4M3, one float32 scale for 128 elements of a row. */
final class Rounding {
    /** Keeps the scale of a block of zeros away from zero. */
    private static final float LEAST = 1e-4f;

    private Rounding() {}

    /** Replaces a row's elements by what their codes stand for. */
    static void round(float[] row) {
        for (int first = 0; first < row.length; first += Weight.ROUNDED_BLOCK) {
            int end = Math.min(first + Weight.ROUNDED_BLOCK, row.length);
            float largest = LEAST;
            for (int k = first; k < end; k++) {
                largest = Math.abs(row[k]) > largest ? Math.abs(row[k]) : largest; // NaN concerns its own element only
            }
            float scale = largest / Float8E4M3.MAX;
            for (int k = first; k < end; k++) {
                row[k] = Float8E4M3.decode(Float8E4M3.encode(row[k] / scale)) * scale;
            }
        }
    }
}
