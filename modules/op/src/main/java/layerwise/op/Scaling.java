package layerwise.op;

import layerwise.tensor.DType;

/** What the stored elements of a weight must be multiplied with. */
public sealed interface Scaling {
    /** Nothing: the elements are the values. */
    record None() implements Scaling {}

    /**
     * One multiplier for each block of the matrix; blocks at the edges are shorter.
     *
     * @param scales      {@code [ceil(N/rows), ceil(K/columns)]} float32; {@code [E, ..]} for stacked matrices
     * @param activations scales of activations that are rounded for a product with the matrix
     */
    record Block(TensorRef scales, int rows, int columns, ScaleFormat activations) implements Scaling {
        public Block {
            if (scales.dtype() != DType.F32 || rows <= 0 || columns <= 0) {
                throw new IllegalArgumentException("block scales: %s, %d x %d".formatted(scales, rows, columns));
            }
        }
    }

    /**
     * NVFP4's two levels: value = element · block scale · segment scale.
     *
     * @param blockScales   {@code [N, K/16]} E4M3; {@code [E, N, K/16]} for stacked matrices
     * @param segmentScales {@code [segments]} float32, segment {@code i} holding rows {@code i·N/segments ..}; {@code
     *                      [E, segments]} for stacked matrices. A matrix made of several checkpoint tensors keeps each
     *                      one's own scale
     */
    record Nvfp4(TensorRef blockScales, TensorRef segmentScales) implements Scaling {
        /** Elements along K that share a scale. */
        public static final int BLOCK = 16;

        public Nvfp4 {
            if (blockScales.dtype() != DType.E4M3 || segmentScales.dtype() != DType.F32) {
                throw new IllegalArgumentException("NVFP4 scales: %s, %s".formatted(blockScales, segmentScales));
            }
        }
    }
}
