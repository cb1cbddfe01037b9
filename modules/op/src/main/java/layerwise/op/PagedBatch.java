package layerwise.op;

import java.util.List;
import layerwise.tensor.DType;

/**
 * A batch as kernels see it: lengths and pages in memory, prepared once for a step.
 *
 * @param batch     the same lengths, known to the host
 * @param positions {@code [T]} int32: position of each token in its sequence
 * @param starts    {@code [B+1]} int32: first token of each sequence, then T
 * @param past      {@code [B]} int32
 * @param pageTable {@code [B, pages]} int32: page of the pool that holds the sequence's tokens {@code i·pageTokens ..}
 */
public record PagedBatch(Batch batch, TensorRef positions, TensorRef starts, TensorRef past, TensorRef pageTable) {
    public PagedBatch {
        for (TensorRef table : List.of(positions, starts, past, pageTable)) {
            if (table.dtype() != DType.I32 || !table.isContiguous()) {
                throw new IllegalArgumentException("not a contiguous int32 table: " + table);
            }
        }
        if (positions.dim(0) != batch.tokens()
                || starts.dim(0) != batch.sequences() + 1L
                || past.dim(0) != batch.sequences()
                || pageTable.dim(0) != batch.sequences()) {
            throw new IllegalArgumentException("tables do not fit %d sequences of %d tokens: %s %s %s %s"
                    .formatted(batch.sequences(), batch.tokens(), positions, starts, past, pageTable));
        }
    }

    List<TensorRef> tables() {
        return List.of(positions, starts, past, pageTable);
    }
}
