package layerwise.reference;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Softmax of scaled products of queries and keys, and the sum of values that it weighs. */
final class ScaledDotProduct {
    private ScaledDotProduct() {}

    /**
     * Attention of some query rows over the same keys.
     *
     * @param visible how many keys a row sees
     * @param from    where values begin in the rows of {@code values}
     */
    static void attend(
            List<RowBlock> queries,
            IntUnaryOperator visible,
            double scale,
            double[][] keys,
            float[][] values,
            int from,
            Operand out) {
        for (RowBlock block : queries) {
            int[] rows = block.rows();
            double[][] scores = new double[rows.length][];
            Arrays.setAll(scores, j -> new double[visible.applyAsInt(rows[j])]);
            int longest =
                    Arrays.stream(scores).mapToInt(row -> row.length).max().orElse(0);
            for (int s = 0; s < longest; s++) {
                double[] products = block.times(keys[s]);
                for (int j = 0; j < rows.length; j++) {
                    if (s < scores[j].length) {
                        scores[j][s] = scale * products[j];
                    }
                }
            }
            for (int j = 0; j < rows.length; j++) {
                Sums.softmax(scores[j]);
                double[] sums = new double[out.width()];
                Sums.weighted(sums, scores[j], values, from, scores[j].length);
                out.writeRow(rows[j], sums);
            }
        }
    }
}
