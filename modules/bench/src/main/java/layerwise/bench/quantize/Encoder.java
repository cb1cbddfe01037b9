package layerwise.bench.quantize;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;
import layerwise.tensor.DType;
import layerwise.tensor.Elements;
import layerwise.tensor.Float4E2M1;
import layerwise.tensor.Float8E4M3;
import layerwise.tensor.HostTensor;
import layerwise.tensor.Shape;

/**
 * Turns rows of numbers into the tensors of a format, as few rows at a time as share scales.
 *
 * @param n rows
 * @param k elements of each
 */
record Encoder(Matrices.Rows rows, long n, int k) {
    static final int FP8_BLOCK = 128;
    static final int FP4_BLOCK = 16;

    private static final int ROWS_AT_ONCE = 128;

    /** Bytes of a tensor, and where in it they begin. */
    interface Sink {
        void write(long from, MemorySegment bytes);
    }

    /** Rounded to one type. */
    void plain(DType dtype, Sink elements) {
        float[] row = new float[k];
        try (Arena arena = Arena.ofConfined()) {
            HostTensor chunk = HostTensor.allocate(arena, dtype, ROWS_AT_ONCE, k);
            for (long first = 0; first < n; first += ROWS_AT_ONCE) {
                long count = Math.min(ROWS_AT_ONCE, n - first);
                for (int r = 0; r < count; r++) {
                    rows.read(first + r, row);
                    Elements.write(chunk.memory(), dtype, (long) r * k, row, 0, k);
                }
                elements.write(dtype.bytes(first * k), chunk.memory().asSlice(0, dtype.bytes(count * k)));
            }
        }
    }

    /** E4M3 over blocks of 128 × 128 whose largest element becomes 448; scales {@code [ceil(N/128), ceil(K/128)]} float32. */
    void blockScaled(Sink elements, BiConsumer<Shape, float[]> scales) {
        int across = Math.ceilDiv(k, FP8_BLOCK);
        float[] all = new float[(int) Math.ceilDiv(n, FP8_BLOCK) * across];
        float[][] chunk = new float[FP8_BLOCK][k];
        try (Arena arena = Arena.ofConfined()) {
            HostTensor codes = HostTensor.allocate(arena, DType.E4M3, FP8_BLOCK, k);
            for (long first = 0; first < n; first += FP8_BLOCK) {
                int count = (int) Math.min(FP8_BLOCK, n - first);
                int line = (int) (first / FP8_BLOCK) * across;
                for (int r = 0; r < count; r++) {
                    rows.read(first + r, chunk[r]);
                    for (int i = 0; i < k; i++) {
                        int block = line + i / FP8_BLOCK;
                        all[block] = Math.max(all[block], Math.abs(chunk[r][i]));
                    }
                }
                for (int block = line; block < line + across; block++) {
                    all[block] = all[block] == 0 ? 1 : all[block] / Float8E4M3.MAX;
                }
                for (int r = 0; r < count; r++) {
                    for (int i = 0; i < k; i++) {
                        chunk[r][i] /= all[line + i / FP8_BLOCK];
                    }
                    Elements.write(codes.memory(), DType.E4M3, (long) r * k, chunk[r], 0, k);
                }
                elements.write(first * k, codes.memory().asSlice(0, (long) count * k));
            }
        }
        scales.accept(Shape.of(Math.ceilDiv(n, FP8_BLOCK), across), all);
    }

    /**
     * E2M1 over runs of 16 elements with E4M3 scales, and one float32 scale, the largest element / 2688, with which the largest
     * scale of a run is 448.
     *
     * @return the one scale
     */
    float nvfp4(Sink elements, Sink blockScales) {
        float whole = largest() / (Float4E2M1.MAX * Float8E4M3.MAX);
        float scale = whole == 0 ? 1 : whole;
        int blocks = k / FP4_BLOCK;
        float[] row = new float[k];
        float[] own = new float[blocks];
        try (Arena arena = Arena.ofConfined()) {
            HostTensor codes = HostTensor.allocate(arena, DType.E2M1, ROWS_AT_ONCE, k);
            HostTensor scales = HostTensor.allocate(arena, DType.E4M3, ROWS_AT_ONCE, blocks);
            for (long first = 0; first < n; first += ROWS_AT_ONCE) {
                int count = (int) Math.min(ROWS_AT_ONCE, n - first);
                for (int r = 0; r < count; r++) {
                    rows.read(first + r, row);
                    for (int b = 0; b < blocks; b++) {
                        own[b] = largest(row, b * FP4_BLOCK, FP4_BLOCK) / Float4E2M1.MAX / scale;
                    }
                    Elements.write(scales.memory(), DType.E4M3, (long) r * blocks, own, 0, blocks);
                    Elements.read(scales.memory(), DType.E4M3, (long) r * blocks, own, 0, blocks); // as rounded
                    for (int i = 0; i < k; i++) {
                        float step = own[i / FP4_BLOCK] * scale;
                        row[i] = step == 0 ? 0 : row[i] / step;
                    }
                    Elements.write(codes.memory(), DType.E2M1, (long) r * k, row, 0, k);
                }
                elements.write(first * k / 2, codes.memory().asSlice(0, (long) count * k / 2));
                blockScales.write(first * blocks, scales.memory().asSlice(0, (long) count * blocks));
            }
        }
        return scale;
    }

    private float largest() {
        float[] row = new float[k];
        float largest = 0;
        for (long r = 0; r < n; r++) {
            rows.read(r, row);
            largest = Math.max(largest, largest(row, 0, k));
        }
        return largest;
    }

    private static float largest(float[] values, int from, int count) {
        float largest = 0;
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }
        return largest;
    }
}
