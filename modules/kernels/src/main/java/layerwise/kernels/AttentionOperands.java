package layerwise.kernels;

import java.math.BigInteger;
import layerwise.cuda.TensorMap;
import layerwise.op.Batch;
import layerwise.op.TensorRef;
import layerwise.tensor.DType;

/** Operands as the attention kernels read them. */
final class AttentionOperands {
    /** Keys of a tile, and rows of queries and heads of a block, in every decode kernel. */
    static final int TILE = 64;

    /** Columns of a swizzled box of bfloat16. */
    static final int BOX_COLUMNS = 64;

    /** Fewest rows that a swizzled box must have for the next one to begin a new pattern. */
    private static final int SWIZZLE_ROWS = 8;

    private AttentionOperands() {}

    /** Most new tokens of a sequence. */
    static int newest(Batch batch) {
        return batch.queries().stream().mapToInt(Integer::intValue).max().orElseThrow();
    }

    /** Whether all steps but the innermost, which must be 1, are multiples of a number. */
    static boolean steps(TensorRef tensor, int multiple) {
        for (int axis = 0; axis < tensor.rank() - 1; axis++) {
            if (tensor.strides().step(axis) % multiple != 0) {
                return false;
            }
        }
        return tensor.strides().step(-1) == 1;
    }

    /** Whether {@link #map} takes a tensor {@code [rows, heads, columns]} or {@code [rows, columns]} as it lies. */
    static boolean fit(Preparation to, TensorRef tensor) {
        return to.address(tensor) % 16 == 0
                && steps(tensor, 8)
                && (tensor.dim(0) == 1 || width(tensor) <= tensor.strides().step(0));
    }

    /** Boxes of 64 columns and so many rows of a tensor {@code [rows, heads, columns]} or {@code [rows, columns]}. */
    static TensorMap map(Preparation to, TensorRef tensor, int boxRows) {
        return to.map(
                DType.BF16,
                to.address(tensor),
                new long[] {width(tensor), tensor.dim(0)},
                new long[] {2 * tensor.strides().step(0)},
                new int[] {BOX_COLUMNS, boxRows},
                TensorMap.Swizzle.BYTES_128);
    }

    private static long width(TensorRef tensor) {
        return tensor.rank() == 2
                ? tensor.dim(1)
                : (tensor.dim(1) - 1) * tensor.strides().step(1) + tensor.dim(2);
    }

    /** Neighbouring keys that one copy takes from a paged cache: within a tile and within a page. */
    static int piece(TensorRef cache) {
        return BigInteger.valueOf(cache.dim(1)).gcd(BigInteger.valueOf(TILE)).intValue();
    }

    /** Whether {@link #cacheMap} takes a cache {@code [pages, pageTokens, width]}. */
    static boolean cacheFits(Preparation to, TensorRef cache) {
        return to.address(cache) % 16 == 0
                && cache.isContiguous()
                && cache.dtype().bytes(cache.dim(2)) % 16 == 0
                && piece(cache) % SWIZZLE_ROWS == 0;
    }

    /** Boxes of so many columns and rows of a paged cache. */
    static TensorMap cacheMap(Preparation to, TensorRef cache, int columns, int rows, TensorMap.Swizzle swizzle) {
        return to.map(
                cache.dtype(),
                to.address(cache),
                new long[] {cache.dim(2), cache.dim(0) * cache.dim(1)},
                new long[] {cache.dtype().bytes(cache.dim(2))},
                new int[] {columns, rows},
                swizzle);
    }
}
