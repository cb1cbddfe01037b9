package layerwise.reference;

import java.util.function.Function;
import java.util.stream.LongStream;
import layerwise.op.Add;
import layerwise.op.AddRmsNorm;
import layerwise.op.RmsNorm;
import layerwise.op.Rotary;
import layerwise.op.SwiGlu;
import layerwise.op.TensorRef;

/** Operators that look at one row at a time. */
final class Pointwise {
    private final Function<TensorRef, Operand> operands;

    Pointwise(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    /** Row numbers, for several workers. */
    private static LongStream rows(long count) {
        return LongStream.range(0, count).parallel();
    }

    static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    void run(RmsNorm op) {
        Operand x = operands.apply(op.x());
        Operand y = operands.apply(op.y());
        float[] gain = operands.apply(op.gain()).row(0);
        rows(x.rows()).forEach(t -> y.writeRow(t, normalised(x.row(t), gain, op.epsilon())));
    }

    void run(Add op) {
        Operand a = operands.apply(op.a());
        Operand b = operands.apply(op.b());
        Operand y = operands.apply(op.y());
        rows(a.rows()).forEach(t -> y.writeRow(t, sum(a.row(t), b.row(t))));
    }

    void run(AddRmsNorm op) {
        Operand x = operands.apply(op.x());
        Operand residual = operands.apply(op.residual());
        Operand sum = operands.apply(op.sum());
        Operand y = operands.apply(op.y());
        float[] gain = operands.apply(op.gain()).row(0);
        rows(x.rows()).forEach(t -> {
            sum.writeRow(t, sum(x.row(t), residual.row(t)));
            y.writeRow(t, normalised(sum.row(t), gain, op.epsilon()));
        });
    }

    private static float[] sum(float[] a, float[] b) {
        for (int i = 0; i < a.length; i++) {
            a[i] += b[i];
        }
        return a;
    }

    private static float[] normalised(float[] x, float[] gain, double epsilon) {
        double scale = 1 / Math.sqrt(Sums.dot(x, Sums.widened(x)) / x.length + epsilon);
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) (x[i] * scale * gain[i]);
        }
        return x;
    }

    void run(SwiGlu op) {
        Operand x = operands.apply(op.x());
        Operand y = operands.apply(op.y());
        long rows = op.active()
                .map(offsets -> (long) operands.apply(offsets).getInt(offsets.dim(0) - 1))
                .orElse(x.rows());
        rows(rows).forEach(t -> y.writeRow(t, gated(x.row(t))));
    }

    /** SwiGLU of a row. */
    static float[] gated(float[] both) {
        float[] row = new float[both.length / 2];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) (silu(both[i]) * both[row.length + i]);
        }
        return row;
    }

    void run(Rotary op) {
        Operand x = operands.apply(op.x());
        Operand y = operands.apply(op.y());
        Operand positions = operands.apply(op.positions());
        Operand table = operands.apply(op.table());
        long heads = op.x().dim(1);
        int half = x.width() / 2;
        rows(x.rows()).forEach(row -> {
            long position = positions.getInt(row / heads);
            float[] cosines = table.row(2 * position);
            float[] sines = table.row(2 * position + 1);
            float[] values = x.row(row);
            float[] rotated = new float[values.length];
            for (int i = 0; i < half; i++) {
                int first = op.layout() == Rotary.Layout.INTERLEAVED ? 2 * i : i;
                int second = op.layout() == Rotary.Layout.INTERLEAVED ? 2 * i + 1 : half + i;
                double a = values[first];
                double b = values[second];
                rotated[first] = (float) (a * cosines[i] - b * sines[i]);
                rotated[second] = (float) (b * cosines[i] + a * sines[i]);
            }
            y.writeRow(row, rotated);
        });
    }
}
