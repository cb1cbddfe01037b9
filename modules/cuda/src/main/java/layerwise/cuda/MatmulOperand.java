package layerwise.cuda;

import layerwise.tensor.DType;

/**
 * A matrix in device memory, column-major as BLAS has it: a row-major [R, C] tensor is the column-major C × R matrix.
 *
 * @param type             type of its elements
 * @param leadingDimension elements from one column to the next
 * @param batchStride      elements from one matrix of a batch to the next; 0 without a batch
 */
public record MatmulOperand(DType type, long leadingDimension, long batchStride) {
    public MatmulOperand {
        if (leadingDimension < 1 || batchStride < 0) {
            throw new IllegalArgumentException(
                    "leadingDimension=%d, batchStride=%d".formatted(leadingDimension, batchStride));
        }
    }

    static MatmulOperand of(DType type, long leadingDimension) {
        return new MatmulOperand(type, leadingDimension, 0);
    }
}
