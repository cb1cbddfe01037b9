package layerwise.reference;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import layerwise.op.Activations;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GroupedLinear;
import layerwise.op.GroupedLinearCombine;
import layerwise.op.HeadLinear;
import layerwise.op.Linear;
import layerwise.op.Scaling;
import layerwise.op.TensorRef;
import layerwise.op.Weight;

/** Matrix products: a worker for each row of the weight, so that each row is dequantised once. */
final class Products {
    private final Function<TensorRef, Operand> operands;
    private final RoundedRows rounded;
    private final Sampling sampling;

    Products(Function<TensorRef, Operand> operands, Sampling sampling) {
        this.operands = operands;
        rounded = new RoundedRows(operands);
        this.sampling = sampling;
    }

    void run(Linear op) {
        Operand y = operands.apply(op.y());
        int n = y.width();
        Sample sample = sampling.of(op, y.rows());
        Blocks blocks = new Blocks(rows(op), sample, 0, (int) y.rows());
        WeightRows weights = new WeightRows(op.w(), operands);
        blocks.columns(n).forEach(i -> {
            double[] row = Sums.widened(weights.row(0, i));
            for (RowBlock block : blocks.of(i, n)) {
                write(y, i, block, block.times(row));
            }
        });
    }

    private static void write(Operand y, int column, RowBlock block, double[] values) {
        for (int j = 0; j < values.length; j++) {
            y.set(block.rows()[j], column, (float) values[j]);
        }
    }

    /** Activations as a weight meets them, which rounds them where they are not rounded yet. */
    private IntFunction<float[]> rows(Linear op) {
        Operand x = operands.apply(op.x());
        return row -> {
            float[] values = x.row(row);
            if (op.w().roundsActivations(op.x().dtype()) && op.w().scaling() instanceof Scaling.Block block) {
                Rounding.round(values, block.activations());
            }
            return values;
        };
    }

    private IntFunction<float[]> rows(Activations x) {
        return row -> rounded.row(x, row);
    }

    /** The chosen rows of a range, by the columns that they are computed in. */
    private static final class Blocks {
        private final Sample sample;
        private final List<List<RowBlock>> byGroup;

        Blocks(IntFunction<float[]> x, Sample sample, int from, int to) {
            this.sample = sample;
            byGroup = IntStream.range(0, sample.groups())
                    .parallel()
                    .mapToObj(group -> RowBlock.of(x, sample.rows(group, from, to)))
                    .toList();
        }

        /** Columns in which there is a row, for several workers. */
        IntStream columns(int columns) {
            return IntStream.range(0, columns)
                    .parallel()
                    .filter(column -> !of(column, columns).isEmpty());
        }

        List<RowBlock> of(int column, int columns) {
            return byGroup.get(sample.group(column, columns));
        }
    }

    void run(HeadLinear op) {
        Operand x = operands.apply(op.x());
        Operand y = operands.apply(op.y());
        WeightRows weights = new WeightRows(op.w(), operands);
        int heads = (int) op.x().dim(1);
        int[][] byHead = byHead(sampling.of(op, y.rows()).rows(), heads);
        IntStream.range(0, heads).parallel().forEach(h -> {
            long first = (long) h * op.headRows() + op.firstRow();
            if (op.transposed()) {
                float[][] matrix = rows(weights, first, x.width());
                for (int row : byHead[h]) {
                    double[] sums = new double[y.width()];
                    Sums.weighted(sums, Sums.widened(x.row(row)), matrix, 0, x.width());
                    y.writeRow(row, rounded(sums));
                }
            } else {
                List<RowBlock> blocks = RowBlock.of(x::row, byHead[h]);
                for (int i = 0; i < y.width(); i++) {
                    double[] row = Sums.widened(weights.row(0, first + i));
                    for (RowBlock block : blocks) {
                        write(y, i, block, block.times(row));
                    }
                }
            }
        });
    }

    private static float[][] rows(WeightRows weights, long first, int count) {
        float[][] rows = new float[count][];
        Arrays.setAll(rows, i -> weights.row(0, first + i));
        return rows;
    }

    /** Rows that are numbered token by token, head by head: those of each head. */
    static int[][] byHead(int[] rows, int heads) {
        int[][] byHead = new int[heads][];
        Arrays.setAll(
                byHead, h -> Arrays.stream(rows).filter(row -> row % heads == h).toArray());
        return byHead;
    }

    void run(GroupedLinear op) {
        IntFunction<float[]> x = rows(op.x());
        Operand y = operands.apply(op.y());
        Sample sample = sampling.of(op, y.rows());
        WeightRows weights = new WeightRows(op.w(), operands);
        int n = y.width();
        forEachExpert(op.offsets(), (expert, from, to) -> {
            Blocks blocks = new Blocks(x, sample, from, to);
            blocks.columns(n).forEach(i -> {
                double[] row = Sums.widened(weights.row(expert, i));
                for (RowBlock block : blocks.of(i, n)) {
                    write(y, i, block, block.times(row));
                }
            });
        });
    }

    void run(GatedGroupedLinear op) {
        IntFunction<float[]> x = rows(op.x());
        Operand y = operands.apply(op.y());
        Sample sample = sampling.of(op, y.rows());
        WeightRows weights = new WeightRows(op.w(), operands);
        int n = y.width();
        forEachExpert(op.offsets(), (expert, from, to) -> {
            Blocks blocks = new Blocks(x, sample, from, to);
            blocks.columns(n).forEach(i -> {
                double[] gateRow = Sums.widened(weights.row(expert, i));
                double[] upRow = Sums.widened(weights.row(expert, n + i));
                for (RowBlock block : blocks.of(i, n)) {
                    double[] gate = block.times(gateRow);
                    double[] up = block.times(upRow);
                    Arrays.setAll(gate, j -> Pointwise.silu(gate[j]) * up[j]);
                    write(y, i, block, gate);
                }
            });
        });
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

    private double[][] product(Activations input, TensorRef offsets, Weight weight) {
        float[][] x = new float[(int) input.rows()][];
        Arrays.setAll(x, rows(input));
        WeightRows weights = new WeightRows(weight, operands);
        int n = (int) weight.n();
        double[][] product = new double[x.length][n];
        forEachExpert(
                offsets,
                (expert, from, to) -> IntStream.range(0, n).parallel().forEach(i -> {
                    double[] row = Sums.widened(weights.row(expert, i));
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
