package layerwise.reference;

import java.util.Optional;
import java.util.function.Function;
import java.util.stream.LongStream;
import layerwise.op.Activations;
import layerwise.op.RoundRows;
import layerwise.op.ScaleFormat;
import layerwise.op.SwiGluRoundRows;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.BFloat16;

/** Rows in E4M3 as tensors: their codes and scales made, and read again. */
final class RoundedRows {
    private final Function<TensorRef, Operand> operands;

    RoundedRows(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(RoundRows op) {
        Operand x = operands.apply(op.x());
        rows(op.active(), x.rows()).forEach(t -> write(op.y(), t, x.row(t), op.format()));
    }

    void run(SwiGluRoundRows op) {
        Operand x = operands.apply(op.x());
        rows(op.active(), x.rows()).forEach(t -> {
            float[] row = Pointwise.gated(x.row(t));
            for (int i = 0; i < row.length; i++) {
                row[i] = BFloat16.decode(BFloat16.encode(row[i]));
            }
            write(op.y(), t, row, op.format());
        });
    }

    /** Row numbers, for several workers. */
    private LongStream rows(Optional<TensorRef> active, long all) {
        long count = active.map(offsets -> (long) operands.apply(offsets).getInt(offsets.dim(0) - 1))
                .orElse(all);
        return LongStream.range(0, count).parallel();
    }

    private void write(Activations y, long t, float[] row, ScaleFormat format) {
        float[] scales = Rounding.divide(row, format);
        operands.apply(y.data()).writeRow(t, row);
        operands.apply(y.scales().orElseThrow()).writeRow(t, scales);
    }

    /** What a row stands for, rounded or not. */
    float[] row(Activations x, long t) {
        float[] values = operands.apply(x.data()).row(t);
        if (x.isRounded()) {
            float[] scales = operands.apply(x.scales().orElseThrow()).row(t);
            for (int k = 0; k < values.length; k++) {
                values[k] *= scales[k / Weight.ROUNDED_BLOCK];
            }
        }
        return values;
    }
}
