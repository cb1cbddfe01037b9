package layerwise.reference;

import java.util.function.Function;
import layerwise.op.Batch;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;

/** Which state each sequence goes on with, and over which tokens. */
final class States {
    private final Batch batch;
    private final Operand starts;
    private final Operand slots;

    States(PagedBatch paged, Function<TensorRef, Operand> operands) {
        batch = paged.batch();
        starts = operands.apply(paged.starts());
        slots = operands.apply(paged.slots());
    }

    /** Changes a state while it goes over the tokens {@code from} to {@code to} (exclusive). */
    interface Step {
        void over(double[][] state, int from, int to);
    }

    /**
     * Takes one head's state {@code [rows, width]} of every sequence through a step: from zero where there is no past, and
     * back into the pool.
     *
     * @param pool {@code [slots, heads, rows, width]}
     */
    void forEach(Operand pool, int heads, int head, int rows, Step step) {
        for (int sequence = 0; sequence < batch.sequences(); sequence++) {
            long first = ((long) slots.getInt(sequence) * heads + head) * rows;
            double[][] state = new double[rows][pool.width()];
            if (batch.past().get(sequence) > 0) {
                for (int i = 0; i < rows; i++) {
                    float[] stored = pool.row(first + i);
                    for (int j = 0; j < stored.length; j++) {
                        state[i][j] = stored[j];
                    }
                }
            }
            step.over(state, starts.getInt(sequence), starts.getInt(sequence + 1));
            for (int i = 0; i < rows; i++) {
                float[] row = new float[pool.width()];
                for (int j = 0; j < row.length; j++) {
                    row[j] = (float) state[i][j];
                }
                pool.writeRow(first + i, row);
            }
        }
    }
}
