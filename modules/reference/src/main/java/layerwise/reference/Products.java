package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GroupedLinear;
import layerwise.op.GroupedLinearCombine;
import layerwise.op.HeadLinear;
import layerwise.op.Linear;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** Matrix products: one worker per row of the weight, so that each row is dequantised once. */
final class Products {
    private final Function<TensorRef, Operand> operands;

    Products(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(Linear op) {
        float[][] x = operands.apply(op.x()).decode();
        if (op.w().roundsActivations(op.x().dtype())) {
            Stream.of(x).forEach(Rounding::round);
        }
        Operand y = operands.apply(op.y());
        WeightRows weights = new WeightRows(op.w(), operands);
        IntStream.range(0, (int) op.w().n()).parallel().forEach(n -> {
            float[] row = weights.row(0, n);
            for (int t = 0; t < x.length; t++) {
                y.set(t, n, (float) Sums.dot(x[t], row));
            }
        });
    }

    void run(HeadLinear op) {
        float[][] x = operands.apply(op.x()).decode();
        Operand y = operands.apply(op.y());
        WeightRows weights = new WeightRows(op.w(), operands);
        int tokens = (int) op.x().dim(0);
        int heads = (int) op.x().dim(1);
        int k = (int) op.x().dim(2);
        int n = (int) op.y().dim(2);
        IntStream.range(0, heads).parallel().forEach(h -> {
            long first = (long) h * op.headRows() + op.firstRow();
            double[][] sums = new double[tokens][n];
            int rows = op.transposed() ? k : n;
            for (int i = 0; i < rows; i++) {
                float[] row = weights.row(0, first + i);
                for (int t = 0; t < tokens; t++) {
                    float[] values = x[t * heads + h];
                    if (op.transposed()) {
                        for (int j = 0; j < n; j++) {
                            sums[t][j] += (double) values[i] * row[j];
                        }
                    } else {
                        sums[t][i] = Sums.dot(values, row);
                    }
                }
            }
            for (int t = 0; t < tokens; t++) {
                y.writeRow((long) t * heads + h, rounded(sums[t]));
            }
        });
    }

    void run(GroupedLinear op) {
        Operand y = operands.apply(op.y());
        double[][] product = product(op.x(), op.offsets(), op.w());
        for (int p = firstRow(op.offsets()); p < rowsInUse(op.offsets()); p++) {
            y.writeRow(p, rounded(product[p]));
        }
    }

    void run(GatedGroupedLinear op) {
        Operand y = operands.apply(op.y());
        double[][] product = product(op.x(), op.offsets(), op.w());
        int width = y.width();
        float[] row = new float[width];
        for (int p = firstRow(op.offsets()); p < rowsInUse(op.offsets()); p++) {
            for (int i = 0; i < width; i++) {
                row[i] = (float) (Pointwise.silu(product[p][i]) * product[p][width + i]);
            }
            y.writeRow(p, row);
        }
    }

    void run(GroupedLinearCombine op) {
        double[][] product = product(op.x(), op.offsets(), op.w());
        Operand slots = operands.apply(op.slots());
        Operand weights = operands.apply(op.weights());
        Operand y = operands.apply(op.y());
        for (int t = 0; t < op.y().dim(0); t++) {
            double[] sum = new double[y.width()];
            for (int j = 0; j < slots.width(); j++) {
                int slot = slots.getInt(t, j);
                if (slot >= 0) {
                    double weight = weights.get(t, j);
                    for (int n = 0; n < sum.length; n++) {
                        sum[n] += weight * product[slot][n];
                    }
                }
            }
            y.writeRow(t, rounded(sum));
        }
    }

    private int firstRow(TensorRef offsets) {
        return operands.apply(offsets).getInt(0);
    }

    private int rowsInUse(TensorRef offsets) {
        return operands.apply(offsets).getInt(offsets.dim(0) - 1);
    }

    private double[][] product(TensorRef input, TensorRef offsets, Weight weight) {
        Operand x = operands.apply(input);
        Operand starts = operands.apply(offsets);
        WeightRows weights = new WeightRows(weight, operands);
        int n = (int) weight.n();
        int rows = rowsInUse(offsets);
        float[][] values = new float[rows][];
        double[][] product = new double[rows][n];
        for (int p = firstRow(offsets); p < rows; p++) {
            values[p] = x.row(p);
            if (weight.roundsActivations(input.dtype())) {
                Rounding.round(values[p]);
            }
        }
        for (int e = 0; e < weight.data().dim(0); e++) {
            int expert = e;
            int from = starts.getInt(e);
            int to = starts.getInt(e + 1);
            if (from < to) {
                IntStream.range(0, n).parallel().forEach(i -> {
                    float[] row = weights.row(expert, i);
                    for (int p = from; p < to; p++) {
                        product[p][i] = Sums.dot(values[p], row);
                    }
                });
            }
        }
        return product;
    }

    private static float[] rounded(double[] values) {
        float[] row = new float[values.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) values[i];
        }
        return row;
    }
}
