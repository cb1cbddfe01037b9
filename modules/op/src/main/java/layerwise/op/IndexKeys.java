package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * The lightning indexer's paged cache of keys: with E4M3 elements, 128 + 4 bytes a token.
 *
 * @param elements {@code [pages, pageTokens, D]}, E4M3 or, where nothing is quantised, float32
 * @param scales   {@code [pages, pageTokens]} float32, the multiplier of each key: a power of two
 */
public record IndexKeys(TensorRef elements, TensorRef scales) {
    public IndexKeys {
        Expect.rank("IndexKeys", "elements", elements, 3);
        Expect.contiguous("IndexKeys", elements, scales);
        Expect.shape("IndexKeys", "scales", scales, elements.dim(0), elements.dim(1));
        Expect.dtype("IndexKeys", "scales", scales, DType.F32);
    }

    /** D. */
    public long dim() {
        return elements.dim(2);
    }

    /** Whether elements are rounded, and rotated before by a Hadamard matrix that spreads outliers over them. */
    public boolean quantised() {
        return elements.dtype() == DType.E4M3;
    }

    /** Bytes of so many keys with their scales. */
    long bytes(long keys) {
        return elements.dtype().bytes(keys * dim()) + scales.dtype().bytes(keys);
    }

    List<TensorRef> tensors() {
        return List.of(elements, scales);
    }
}
