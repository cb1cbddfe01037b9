package layerwise.reference;

import java.util.function.Function;
import layerwise.op.CausalConv1d;
import layerwise.op.GatedRmsNorm;
import layerwise.op.L2Norm;
import layerwise.op.SigmoidGate;
import layerwise.op.SquaredRelu;
import layerwise.op.TensorRef;

/** What stands around the recurrences and attention of hybrid models: convolution, norms, gates, activation. */
final class Gates {
    private final Function<TensorRef, Operand> operands;

    Gates(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    /** log(1 + eˣ), without overflow. */
    static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    void run(CausalConv1d op) {
        Operand x = operands.apply(op.x());
        Operand y = operands.apply(op.y());
        Operand state = operands.apply(op.state());
        Operand starts = operands.apply(op.paged().starts());
        Operand slots = operands.apply(op.paged().slots());
        float[][] w = operands.apply(op.w()).decode();
        float[] bias = op.bias().map(b -> operands.apply(b).row(0)).orElse(new float[w.length]);
        int carried = op.width() - 1;
        for (int b = 0; b < op.paged().batch().sequences(); b++) {
            int first = starts.getInt(b);
            int queries = starts.getInt(b + 1) - first;
            float[][] inputs = new float[carried + queries][w.length];
            if (op.paged().batch().past().get(b) > 0) {
                for (int c = 0; c < w.length; c++) {
                    for (int j = 0; j < carried; j++) {
                        inputs[j][c] = state.get((long) slots.getInt(b) * w.length + c, j);
                    }
                }
            }
            for (int i = 0; i < queries; i++) {
                x.readRow(first + i, inputs[carried + i]);
            }
            for (int i = 0; i < queries; i++) {
                y.writeRow(first + i, convolved(inputs, i, w, bias));
            }
            for (int c = 0; c < w.length; c++) {
                for (int j = 0; j < carried; j++) {
                    state.set((long) slots.getInt(b) * w.length + c, j, inputs[queries + j][c]);
                }
            }
        }
    }

    private static float[] convolved(float[][] inputs, int from, float[][] w, float[] bias) {
        float[] row = new float[w.length];
        for (int c = 0; c < row.length; c++) {
            double sum = bias[c];
            for (int j = 0; j < w[c].length; j++) {
                sum += (double) w[c][j] * inputs[from + j][c];
            }
            row[c] = (float) Pointwise.silu(sum);
        }
        return row;
    }

    void run(GatedRmsNorm op) {
        Operand x = operands.apply(op.x());
        Operand z = operands.apply(op.z());
        Operand y = operands.apply(op.y());
        float[] gain = operands.apply(op.gain()).row(0);
        int width = x.width();
        for (long row = 0; row < x.rows(); row++) {
            float[] values = x.row(row);
            float[] gate = z.row(row);
            double[] v = new double[width];
            double squares = 0;
            for (int d = 0; d < width; d++) {
                v[d] = op.order() == GatedRmsNorm.Order.GATE_FIRST ? values[d] * Pointwise.silu(gate[d]) : values[d];
                squares += v[d] * v[d];
            }
            double scale = 1 / Math.sqrt(squares / width + op.epsilon());
            int firstGain = (int) (row * width % gain.length);
            for (int d = 0; d < width; d++) {
                double after = op.order() == GatedRmsNorm.Order.NORM_FIRST ? Pointwise.silu(gate[d]) : 1;
                values[d] = (float) (v[d] * scale * gain[firstGain + d] * after);
            }
            y.writeRow(row, values);
        }
    }

    void run(L2Norm op) {
        Operand x = operands.apply(op.x());
        Operand y = operands.apply(op.y());
        for (long row = 0; row < x.rows(); row++) {
            float[] values = x.row(row);
            double scale = 1 / Math.sqrt(Sums.dot(values, Sums.widened(values)) + op.epsilon());
            for (int d = 0; d < values.length; d++) {
                values[d] = (float) (values[d] * scale);
            }
            y.writeRow(row, values);
        }
    }

    void run(SquaredRelu op) {
        Operand x = operands.apply(op.x());
        Operand y = operands.apply(op.y());
        long rows = op.active()
                .map(offsets -> (long) operands.apply(offsets).getInt(offsets.dim(0) - 1))
                .orElse(x.rows());
        for (long row = 0; row < rows; row++) {
            float[] values = x.row(row);
            for (int i = 0; i < values.length; i++) {
                double positive = Math.max(0, values[i]);
                values[i] = (float) (positive * positive);
            }
            y.writeRow(row, values);
        }
    }

    void run(SigmoidGate op) {
        Operand x = operands.apply(op.x());
        Operand gate = operands.apply(op.gate());
        Operand y = operands.apply(op.y());
        for (long row = 0; row < x.rows(); row++) {
            float[] values = x.row(row);
            float[] gates = gate.row(row);
            for (int d = 0; d < values.length; d++) {
                values[d] = (float) (values[d] * sigmoid(gates[gates.length == 1 ? 0 : d]));
            }
            y.writeRow(row, values);
        }
    }
}
