package layerwise.kernels;

import layerwise.cuda.LaunchShape;
import layerwise.cuda.TensorMap;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.DType;

/** Operands as the products of kernels/common/product_plan.cuh read them. */
final class ProductOperands {
    private static final int TILE_ROWS = 128;
    private static final int TILE_K = 128;
    private static final int TILE_BYTES = 9216;
    private static final int SWIZZLED_BYTES = 128;

    private ProductOperands() {}

    /** Bfloat16 activations: boxes of 128 bytes of so many rows. */
    static TensorMap activations(Preparation to, TensorRef x, int tokens) {
        return to.map(
                DType.BF16,
                to.address(x),
                new long[] {x.dim(1), x.dim(0)},
                new long[] {2 * x.strides().step(0)},
                new int[] {SWIZZLED_BYTES / 2, tokens},
                TensorMap.Swizzle.BYTES_128);
    }

    /** Whether {@link #activations} takes them as they lie. */
    static boolean fit(Preparation to, TensorRef x) {
        return to.address(x) % 16 == 0 && x.strides().step(0) % 8 == 0;
    }

    /**
     * Weights {@code [N,K]} or {@code [E,N,K]} that lie at an address as bfloat16 or E4M3: boxes of 128 bytes of 128 rows.
     * Those of a gated product are eight rows of the first half and eight of the second in turn.
     */
    static TensorMap weights(Preparation to, Weight w, DType dtype, long address, boolean gated) {
        long experts = w.data().rank() == 3 ? w.data().dim(0) : 1;
        long row = dtype.bytes(w.k());
        long matrix = row * w.n();
        int columns = (int) (SWIZZLED_BYTES * 8L / dtype.bits());
        long[] extents =
                gated ? new long[] {w.k(), 8, 2, w.n() / 16, experts} : new long[] {w.k(), w.n(), 1, 1, experts};
        long[] strides =
                gated ? new long[] {row, matrix / 2, 8 * row, matrix} : new long[] {row, matrix, matrix, matrix};
        int[] box = gated ? new int[] {columns, 8, 2, 8, 1} : new int[] {columns, TILE_ROWS, 1, 1, 1};
        return to.map(dtype, address, extents, strides, box, TensorMap.Swizzle.BYTES_128);
    }

    /** NVFP4 weights in the tiles of kernels/common/nvfp4_tiles.cuh, made once and kept beside the weights. */
    static long nvfp4Tiles(Preparation to, Weight w, boolean gated) {
        Weight stack = w.stack();
        long experts = stack.data().shape().elements() / (w.n() * w.k());
        long across = gated ? Math.ceilDiv(w.n() / 2, TILE_ROWS / 2) : Math.ceilDiv(w.n(), TILE_ROWS);
        long along = Math.ceilDiv(w.k(), TILE_K);
        long matrix = across * along * TILE_BYTES;
        String layout = gated ? "gated" : "plain";
        LaunchShape shape =
                LaunchShape.of(1, 256).grid(Math.toIntExact(along), Math.toIntExact(across), Math.toIntExact(experts));
        long tiles = to.memory()
                .companion(
                        w.data().buffer(),
                        "tiles." + layout,
                        experts * matrix,
                        made -> tiling(to, stack, layout, shape, made.address())
                                .launch(to.gpu().main()))
                .address();
        return tiles + w.data().offset() / (w.n() * w.k()) * matrix;
    }

    private static Launchable tiling(Preparation to, Weight stack, String layout, LaunchShape shape, long target) {
        if (!(stack.scaling() instanceof Scaling.Nvfp4 scales)) {
            throw new IllegalArgumentException(stack + " is no NVFP4 weight");
        }
        return to.call("tile_nvfp4", "tile_nvfp4_" + layout, shape)
                .pointer(target)
                .pointer(to.address(stack.data()))
                .pointer(to.address(scales.blockScales()))
                .size(stack.n())
                .size(stack.k());
    }
}
