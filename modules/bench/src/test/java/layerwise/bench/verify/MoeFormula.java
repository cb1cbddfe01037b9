package layerwise.bench.verify;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.IntStream;
import layerwise.op.Combine;
import layerwise.op.GatedGroupedLinear;
import layerwise.op.GatherRows;
import layerwise.op.GroupedLinear;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.RoundRows;
import layerwise.op.Scaling;
import layerwise.op.SortByExpert;
import layerwise.op.TensorRef;
import layerwise.op.Weight;
import layerwise.tensor.BFloat16;
import layerwise.tensor.DType;
import layerwise.tensor.Float8E4M3;
import layerwise.tensor.HostTensor;

/**
 * What routed experts add up to, straight from the definition: for each token its experts one by one, in float64, no row
 * sorted, gathered or grouped.
 */
final class MoeFormula {
    /** Sums that operators may round to bfloat16 before others read them: two products, an activation, a result. */
    private static final int ROUNDINGS = 4;

    private final Memory memory;
    private final GatherRows gather;
    private final SortByExpert sort;
    private final Weight up;
    private final Weight down;
    private final List<RoundRows> roundings;
    private final Combine combine;
    private final boolean gatedApart;
    private final Map<TensorRef, double[][]> matrices = new HashMap<>();

    /**
     * Looks for the operators that it stands for.
     *
     * @param program  the plain operators
     * @param launched the same as they ran on this memory
     */
    MoeFormula(Memory memory, Program program, Program launched) {
        this.memory = memory;
        gather = only(program, GatherRows.class).getFirst();
        sort = only(program, SortByExpert.class).getFirst();
        List<GroupedLinear> products = only(program, GroupedLinear.class);
        up = products.get(0).w();
        down = products.get(1).w();
        roundings = only(program, RoundRows.class);
        combine = only(program, Combine.class).getFirst();
        gatedApart = only(launched, GatedGroupedLinear.class).isEmpty();
    }

    private static <T extends Operator> List<T> only(Program program, Class<T> kind) {
        return program.operators().stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    /** First, last and some other tokens of what the device left, beside the formula. */
    Comparison compare(int least) {
        try (Arena arena = Arena.ofShared()) {
            int tokens = (int) combine.y().dim(0);
            SortedSet<Integer> chosen = new TreeSet<>(List.of(0, tokens - 1));
            for (int i = 1; i < least; i++) {
                chosen.add((int) ((long) tokens * i / least));
            }
            HostTensor x = memory.read(tokens(), arena);
            HostTensor y = memory.read(combine.y(), arena);
            int[] ids = memory.read(sort.ids(), arena).copyToInts();
            float[] weights = memory.read(combine.weights(), arena).copyToFloats();
            Tolerance tolerance = new Tolerance(
                    2 * Tolerance.unit(DType.BF16), ROUNDINGS * 6 / Math.sqrt(3) * Tolerance.unit(DType.BF16));
            return chosen.stream()
                    .map(t -> row(t, y.slice(0, t, t + 1L), token(t, x, ids, weights), tolerance))
                    .reduce(new Comparison(0, 0, 0, 0, ""), Comparison::and);
        }
    }

    /** The tokens' rows, before any rounding. */
    private TensorRef tokens() {
        return roundings.stream()
                .filter(rounding -> rounding.y().equals(gather.x()))
                .map(RoundRows::x)
                .findFirst()
                .orElseGet(() -> gather.x().data());
    }

    /** The number of rows that each expert has, counted from the choices. */
    boolean countsAreRight() {
        try (Arena arena = Arena.ofShared()) {
            int[] offsets = memory.read(sort.offsets(), arena).copyToInts();
            int[] ids = memory.read(sort.ids(), arena).copyToInts();
            int[] expected = new int[sort.experts() + 1];
            for (int e = 0; e < sort.experts(); e++) {
                int expert = sort.first() + e;
                expected[e + 1] = expected[e]
                        + (int) Arrays.stream(ids).filter(id -> id == expert).count();
            }
            return Arrays.equals(expected, offsets);
        }
    }

    private boolean isRounded() {
        return up.scaling() instanceof Scaling.Block;
    }

    private double[] token(int t, HostTensor x, int[] ids, float[] weights) {
        double[] row = widened(x.slice(0, t, t + 1L).copyToFloats());
        double[] sum = new double[(int) down.n()];
        int topK = gather.topK();
        for (int j = 0; j < topK; j++) {
            int expert = ids[t * topK + j] - sort.first();
            if (expert < 0 || expert >= sort.experts()) {
                continue;
            }
            double[] wide = product(expertMatrix(up, expert), row);
            if (gatedApart) {
                roundToBfloat16(wide);
            }
            double[] activated = new double[wide.length / 2];
            for (int i = 0; i < activated.length; i++) {
                activated[i] = wide[i] / (1 + Math.exp(-wide[i])) * wide[activated.length + i];
            }
            // One E4M3 code beside another would be an error of an eighth of a term.
            roundToBfloat16(activated);
            double[] result = product(expertMatrix(down, expert), activated);
            for (int h = 0; h < sum.length; h++) {
                sum[h] += weights[t * topK + j] * result[h];
            }
        }
        return sum;
    }

    private static void roundToBfloat16(double[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = BFloat16.decode(BFloat16.encode((float) values[i]));
        }
    }

    private double[] product(double[][] matrix, double[] x) {
        double[] seen = isRounded() ? rounded(x) : x;
        return IntStream.range(0, matrix.length)
                .mapToDouble(n -> {
                    double sum = 0;
                    for (int k = 0; k < seen.length; k++) {
                        sum += matrix[n][k] * seen[k];
                    }
                    return sum;
                })
                .toArray();
    }

    /** E4M3 with a scale for 128 elements (ADR 10). */
    private static double[] rounded(double[] x) {
        double[] seen = new double[x.length];
        for (int from = 0; from < x.length; from += 128) {
            int to = Math.min(from + 128, x.length);
            double largest = Arrays.stream(x, from, to).map(Math::abs).max().orElseThrow();
            float scale = (float) (Math.max(largest, 1e-4) / 448);
            for (int k = from; k < to; k++) {
                seen[k] = (double) Float8E4M3.decode(Float8E4M3.encode((float) (x[k] / scale))) * scale;
            }
        }
        return seen;
    }

    private double[][] expertMatrix(Weight stack, int expert) {
        Weight w = stack.expert(expert);
        return matrices.computeIfAbsent(w.data(), data -> matrix(w));
    }

    private double[][] matrix(Weight w) {
        int n = (int) w.n();
        int k = (int) w.k();
        double[][] values = new double[n][k];
        float[] data = floats(w.data());
        switch (w.scaling()) {
            case Scaling.None none -> fill(values, (row, column) -> data[row * k + column]);
            case Scaling.Block block -> {
                float[] scales = floats(block.scales());
                int across = Math.ceilDiv(k, 128);
                fill(
                        values,
                        (row, column) -> (double) data[row * k + column] * scales[row / 128 * across + column / 128]);
            }
            case Scaling.Nvfp4 nvfp4 -> {
                float[] blocks = floats(nvfp4.blockScales());
                float[] segments = floats(nvfp4.segmentScales());
                int height = n / segments.length;
                fill(
                        values,
                        (row, column) -> (double) data[row * k + column]
                                * blocks[(row * k + column) / 16]
                                * segments[row / height]);
            }
        }
        return values;
    }

    private interface Element {
        double at(int row, int column);
    }

    private static void fill(double[][] values, Element element) {
        for (int row = 0; row < values.length; row++) {
            for (int column = 0; column < values[row].length; column++) {
                values[row][column] = element.at(row, column);
            }
        }
    }

    private float[] floats(TensorRef tensor) {
        try (Arena arena = Arena.ofShared()) {
            return memory.read(tensor, arena).copyToFloats();
        }
    }

    private static double[] widened(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static Comparison row(int t, HostTensor y, double[] expected, Tolerance tolerance) {
        float[] actual = y.copyToFloats();
        double rms = Math.sqrt(Arrays.stream(expected).map(v -> v * v).average().orElseThrow());
        Comparison all = new Comparison(0, 0, 0, 0, "");
        for (int h = 0; h < expected.length; h++) {
            double allowed = tolerance.relative() * Math.abs(expected[h]) + tolerance.ofRow() * rms;
            double difference = Math.abs(actual[h] - expected[h]);
            boolean right = difference <= allowed;
            double share = difference == 0 ? 0 : right ? difference / allowed : Double.POSITIVE_INFINITY;
            String remark = right ? "" : "[%d,%d]: %s, expected %s".formatted(t, h, actual[h], expected[h]);
            all = all.and(new Comparison(share, difference, 1, right ? 0 : 1, remark));
        }
        return all;
    }
}
