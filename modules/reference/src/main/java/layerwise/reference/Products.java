package layerwise.reference;

import java.util.function.Function;
import java.util.stream.IntStream;
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
    private final Sampling sampling;

    Products(Function<TensorRef, Operand> operands, Sampling sampling) {
        this.operands = operands;
        this.sampling = sampling;
    }

    void run(Linear op) {
        Sample sample = sampling.of(op, op.y().dim(0));
        float[][] x = operands.apply(op.x()).decode(sample);
        Operand y = operands.apply(op.y());
        WeightRows weights = new WeightRows(op.w(), operands);
        IntStream.range(0, (int) op.w().n()).parallel().forEach(n -> {
            float[] row = weights.row(0, n);
            for (int t : sample.rows(n, op.w().n())) {
                y.set(t, n, (float) Sums.dot(x[t], row));
            }
        });
    }

    void run(HeadLinear op) {
        Sample sample = sampling.of(op, op.x().dim(0) * op.x().dim(1));
        float[][] x = operands.apply(op.x()).decode(sample);
        Operand y = operands.apply(op.y());
        WeightRows weights = new WeightRows(op.w(), operands);
        int tokens = (int) op.x().dim(0);
        int heads = (int) op.x().dim(1);
        int k = (int) op.x().dim(2);
        int n = (int) op.y().dim(2);
        IntStream.range(0, heads).parallel().forEach(h -> {
            long first = (long) h * op.headRows() + op.firstRow();
            int[] own = IntStream.range(0, tokens)
                    .map(t -> t * heads + h)
                    .filter(row -> sample.holds(row))
                    .toArray();
            double[][] sums = new double[own.length][n];
            int rows = op.transposed() ? k : n;
            for (int i = 0; i < rows; i++) {
                float[] row = weights.row(0, first + i);
                for (int at = 0; at < own.length; at++) {
                    float[] values = x[own[at]];
                    if (op.transposed()) {
                        for (int j = 0; j < n; j++) {
                            sums[at][j] += (double) values[i] * row[j];
                        }
                    } else {
                        sums[at][i] = Sums.dot(values, row);
                    }
                }
            }
            for (int at = 0; at < own.length; at++) {
                y.writeRow(own[at], rounded(sums[at]));
            }
        });
    }

    void run(GroupedLinear op) {
        Sample sample = sampling.of(op, op.x().dim(0));
        float[][] x = operands.apply(op.x()).decode(sample);
        Operand y = operands.apply(op.y());
        WeightRows weights = new WeightRows(op.w(), operands);
        int n = y.width();
        forEachExpert(
                op.offsets(),
                (expert, from, to) -> IntStream.range(0, n).parallel().forEach(i -> {
                    float[] row = weights.row(expert, i);
                    sample.rows(i, n, from, to).forEach(p -> y.set(p, i, (float) Sums.dot(x[p], row)));
                }));
    }

    void run(GatedGroupedLinear op) {
        Sample sample = sampling.of(op, op.x().dim(0));
        float[][] x = operands.apply(op.x()).decode(sample);
        Operand y = operands.apply(op.y());
        WeightRows weights = new WeightRows(op.w(), operands);
        int n = y.width();
        forEachExpert(
                op.offsets(),
                (expert, from, to) -> IntStream.range(0, n).parallel().forEach(i -> {
                    float[] gate = weights.row(expert, i);
                    float[] up = weights.row(expert, n + i);
                    sample.rows(i, n, from, to)
                            .forEach(p ->
                                    y.set(p, i, (float) (Pointwise.silu(Sums.dot(x[p], gate)) * Sums.dot(x[p], up))));
                }));
    }

    /** What is done with an expert that has rows. */
    private interface ForRows {
        void run(int expert, int from, int to);
    }

    private void forEachExpert(TensorRef offsets, ForRows action) {
        Operand starts = operands.apply(offsets);
        for (int e = 0; e < offsets.dim(0) - 1; e++) {
            if (starts.getInt(e) < starts.getInt(e + 1)) {
                action.run(e, starts.getInt(e), starts.getInt(e + 1));
            }
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

    private double[][] product(TensorRef input, TensorRef offsets, Weight weight) {
        float[][] x = operands.apply(input).decode();
        WeightRows weights = new WeightRows(weight, operands);
        int n = (int) weight.n();
        double[][] product = new double[x.length][n];
        forEachExpert(
                offsets,
                (expert, from, to) -> IntStream.range(0, n).parallel().forEach(i -> {
                    float[] row = weights.row(expert, i);
                    for (int p = from; p < to; p++) {
                        product[p][i] = Sums.dot(x[p], row);
                    }
                }));
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
