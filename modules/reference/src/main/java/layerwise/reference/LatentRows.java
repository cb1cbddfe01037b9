package layerwise.reference;

import java.util.Arrays;
import layerwise.op.PackedLatent;
import layerwise.tensor.DType;
import layerwise.tensor.Elements;
import layerwise.tensor.Float8E4M3;

/**
 * Rows of a latent cache as numbers, whether it holds plain elements or is packed.
 *
 * @param cache  the pool
 * @param latent R
 * @param rope   D
 */
record LatentRows(Operand cache, int latent, int rope) {
    /** Keeps the scale of a run of zeros away from zero. */
    private static final float LEAST = 1e-4f;

    /** One row {@code [R+D]} of the pool. */
    float[] row(long row) {
        if (!PackedLatent.holds(cache.tensor())) {
            return cache.row(row);
        }
        long start = start(row);
        float[] values = new float[latent + rope];
        Elements.read(cache.memory(), DType.E4M3, start, values, 0, latent);
        for (int i = 0; i < latent; i++) {
            values[i] *= Elements.get(cache.memory(), DType.F32, scales(start) + i / PackedLatent.RUN);
        }
        Elements.read(cache.memory(), DType.BF16, rotated(start), values, latent, rope);
        return values;
    }

    void write(long row, float[] values) {
        if (!PackedLatent.holds(cache.tensor())) {
            cache.writeRow(row, values);
            return;
        }
        long start = start(row);
        float[] codes = Arrays.copyOf(values, latent);
        for (int first = 0; first < latent; first += PackedLatent.RUN) {
            float largest = LEAST;
            int end = Math.min(first + PackedLatent.RUN, latent);
            for (int i = first; i < end; i++) {
                largest = Math.max(largest, Math.abs(values[i]));
            }
            float scale = largest / Float8E4M3.MAX;
            for (int i = first; i < end; i++) {
                codes[i] = values[i] / scale;
            }
            Elements.set(cache.memory(), DType.F32, scales(start) + first / PackedLatent.RUN, scale);
        }
        Elements.write(cache.memory(), DType.E4M3, start, codes, 0, latent);
        Elements.write(cache.memory(), DType.BF16, rotated(start), values, latent, rope);
    }

    private long start(long row) {
        return cache.tensor().offset() + row * PackedLatent.bytes(latent, rope);
    }

    /** Index of the first scale of a row, were the memory float32. */
    private long scales(long start) {
        return (start + latent) / Float.BYTES;
    }

    /** Index of the first rotated element of a row, were the memory bfloat16. */
    private long rotated(long start) {
        return (start + PackedLatent.bytes(latent, 0)) / Short.BYTES;
    }
}
