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
 * @param slots     {@code [B]} int32: place of the sequence's recurrent states in their pools
 */
public record PagedBatch(
        Batch batch, TensorRef positions, TensorRef starts, TensorRef past, TensorRef pageTable, TensorRef slots) {
    public PagedBatch {
        for (TensorRef table : List.of(positions, starts, past, pageTable, slots)) {
            if (table.dtype() != DType.I32 || !table.isContiguous()) {
                throw new IllegalArgumentException("not a contiguous int32 table: " + table);
            }
        }
        if (positions.dim(0) != batch.tokens()
                || starts.dim(0) != batch.sequences() + 1L
                || past.dim(0) != batch.sequences()
                || pageTable.dim(0) != batch.sequences()
                || slots.dim(0) != batch.sequences()) {
            throw new IllegalArgumentException("tables do not fit %d sequences of %d tokens: %s %s %s %s %s"
                    .formatted(batch.sequences(), batch.tokens(), positions, starts, past, pageTable, slots));
        }
    }

    /** What finds a sequence's cached rows. */
    List<TensorRef> tables() {
        return List.of(positions, starts, past, pageTable);
    }

    /** What finds a sequence's recurrent states. */
    List<TensorRef> states() {
        return List.of(starts, past, slots);
    }

    /** Bytes of reading the states of sequences with a past and of writing all of them, in a pool {@code [slots, ..]}. */
    long stateBytes(TensorRef pool) {
        long resumed = batch.past().stream().filter(past -> past > 0).count();
        return pool.bytes() / pool.dim(0) * (resumed + batch.sequences());
    }
}
