package layerwise.reference;

import java.util.function.Function;
import layerwise.op.LatentAppend;
import layerwise.op.LatentGather;
import layerwise.op.PagedBatch;
import layerwise.op.TensorRef;

/** Rows into and out of the paged cache. */
final class LatentCaches {
    private final Function<TensorRef, Operand> operands;

    LatentCaches(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    /** Row of the pool that holds one position of one sequence. */
    static long poolRow(Operand pageTable, TensorRef cache, int sequence, long position) {
        long pageTokens = cache.dim(1);
        return pageTable.getInt(sequence, position / pageTokens) * pageTokens + position % pageTokens;
    }

    void run(LatentAppend op) {
        Operand latent = operands.apply(op.latent());
        Operand key = operands.apply(op.key());
        Operand cache = operands.apply(op.cache());
        PagedBatch paged = op.paged();
        Operand positions = operands.apply(paged.positions());
        Operand starts = operands.apply(paged.starts());
        Operand pageTable = operands.apply(paged.pageTable());
        LatentRows rows = new LatentRows(cache, latent.width(), key.width());
        float[] row = new float[latent.width() + key.width()];
        for (int b = 0; b < paged.batch().sequences(); b++) {
            for (int t = starts.getInt(b); t < starts.getInt(b + 1); t++) {
                System.arraycopy(latent.row(t), 0, row, 0, latent.width());
                System.arraycopy(key.row(t), 0, row, latent.width(), key.width());
                rows.write(poolRow(pageTable, op.cache(), b, positions.getInt(t)), row);
            }
        }
    }

    void run(LatentGather op) {
        Operand cache = operands.apply(op.cache());
        Operand rows = operands.apply(op.rows());
        PagedBatch paged = op.paged();
        Operand pageTable = operands.apply(paged.pageTable());
        long at = 0;
        for (int b = 0; b < paged.batch().sequences(); b++) {
            int length = paged.batch().past().get(b) + paged.batch().queries().get(b);
            for (int s = 0; s < length; s++) {
                rows.writeRow(at++, cache.row(poolRow(pageTable, op.cache(), b, s)));
            }
        }
    }
}
