package layerwise.bench.verify;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import layerwise.op.RowsInUse;
import layerwise.reference.Sample;
import layerwise.tensor.DType;
import layerwise.tensor.Elements;
import layerwise.tensor.HostTensor;

/**
 * How an output compares with the reference.
 *
 * @param worst    largest error as a share of what is allowed; at most 1 where all is well
 * @param error    largest absolute error
 * @param compared elements that the reference computed
 * @param wrong    elements beyond what is allowed
 * @param remark   the first of them, with both values; what was forgiven; or nothing
 */
record Comparison(double worst, double error, long compared, long wrong, String remark) {
    private static final Comparison NOTHING = new Comparison(0, 0, 0, 0, "");

    /**
     * Of two contiguous tensors of one shape; rows lie along the last axis. One element alone does not tell how large the
     * terms of its sum are: where rows have but one, the bound is that of a row of all of them.
     *
     * @param sample  elements that the reference computed; the others must be numbers, whatever their value
     * @param written rows that the operator writes; it may leave others as they were
     */
    static Comparison of(
            HostTensor actual, HostTensor expected, Tolerance tolerance, Sample sample, RowsInUse written) {
        int width = (int) Math.max(1, expected.shape().dim(-1));
        Rows a = new Rows(actual.memory(), actual.dtype(), width);
        Rows b = new Rows(expected.memory(), expected.dtype(), width);
        int rows = Math.toIntExact(expected.shape().elements() / width);
        OptionalDouble ofColumn = width == 1 ? OptionalDouble.of(rms(b.column(rows), 0, rows)) : OptionalDouble.empty();
        return IntStream.range(0, rows)
                .parallel()
                .mapToObj(row -> sample.isComplete() && a.sameBytes(b, row)
                        ? new Comparison(0, 0, width, 0, "")
                        : ofRow(row, a.row(row), b.row(row), ofColumn, tolerance, sample, written.holds(row)))
                .reduce(NOTHING, Comparison::and);
    }

    /** A matrix in memory. */
    private record Rows(MemorySegment memory, DType dtype, int width) {
        float[] row(long row) {
            float[] values = new float[width];
            Elements.read(memory, dtype, row * width, values, 0, width);
            return values;
        }

        /** The only column. */
        float[] column(int rows) {
            float[] values = new float[rows];
            Elements.read(memory, dtype, 0, values, 0, rows);
            return values;
        }

        /** A quick answer for rows that must not be decoded to know that they are alike. */
        boolean sameBytes(Rows other, long row) {
            long bits = (long) width * dtype.bits();
            if (bits % 8 != 0) {
                return false;
            }
            long from = row * bits / 8;
            long to = from + bits / 8;
            return MemorySegment.mismatch(memory, from, to, other.memory, from, to) < 0;
        }
    }

    /** Of one row; others than the sample's columns must be numbers where the operator writes the row. */
    static Comparison ofRow(
            int row,
            float[] a,
            float[] b,
            OptionalDouble ofColumn,
            Tolerance tolerance,
            Sample sample,
            boolean written) {
        Comparison result = NOTHING;
        boolean[] computed = new boolean[b.length];
        for (Sample.Run run : sample.runs(row, b.length)) {
            Arrays.fill(computed, run.from(), run.to(), true);
            double scale = ofColumn.orElseGet(() -> rms(b, run.from(), run.to()));
            result = result.and(ofRun(row, a, b, run, scale, tolerance));
        }
        for (int i = 0; i < a.length && written; i++) {
            if (!computed[i] && Float.isNaN(a[i])) {
                String remark = String.format(Locale.ROOT, "[%d,%d]: %s, expected a number", row, i, a[i]);
                result = result.and(new Comparison(Double.POSITIVE_INFINITY, 0, 0, 1, remark));
            }
        }
        return result;
    }

    private static Comparison ofRun(int row, float[] a, float[] b, Sample.Run run, double scale, Tolerance tolerance) {
        double worst = 0;
        double error = 0;
        long wrong = 0;
        String remark = "";
        for (int i = run.from(); i < run.to(); i++) {
            if (bothUnset(a[i], b[i])) {
                continue;
            }
            double difference = Math.abs((double) a[i] - b[i]);
            double allowed = tolerance.relative() * Math.abs(b[i]) + tolerance.ofRow() * scale + tolerance.least();
            error = Math.max(error, difference);
            double share = difference == 0 ? 0 : difference / allowed;
            worst = Math.max(worst, Double.isNaN(share) ? Double.POSITIVE_INFINITY : share);
            if (!(difference <= allowed) && wrong++ == 0) {
                remark = String.format(Locale.ROOT, "[%d,%d]: %s, expected %s ± %.2e", row, i, a[i], b[i], allowed);
            }
        }
        return new Comparison(worst, error, run.to() - run.from(), wrong, remark);
    }

    /** Rows that are not in use keep the poison on both sides. */
    private static boolean bothUnset(float a, float b) {
        return Float.isNaN(a) && Float.isNaN(b);
    }

    private static double rms(float[] values, int from, int to) {
        double sum = 0;
        int counted = 0;
        for (int i = from; i < to; i++) {
            if (!Float.isNaN(values[i])) {
                sum += (double) values[i] * values[i];
                counted++;
            }
        }
        return counted == 0 ? 0 : Math.sqrt(sum / counted);
    }

    /** Both together, with the first remark about something wrong, else the first remark. */
    Comparison and(Comparison other) {
        boolean mine = wrong > 0 || (other.wrong == 0 && !remark.isEmpty());
        return new Comparison(
                Math.max(worst, other.worst),
                Math.max(error, other.error),
                compared + other.compared,
                wrong + other.wrong,
                mine ? remark : other.remark);
    }

    boolean isRight() {
        return wrong == 0;
    }
}
