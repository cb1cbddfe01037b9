package layerwise.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/** Some rows of a matrix that meet the same vectors: their products are summed in step, the rows lying turned for that. */
final class RowBlock {
    /** Rows of a block: so many sums stay in the nearest cache. */
    private static final int MOST = 128;

    /** Below, rows are multiplied one by one. */
    private static final int LEAST = 6;

    private final int[] rows;
    private final float[][] values;
    private final boolean turned;

    private RowBlock(int[] rows, float[][] values) {
        this.rows = rows;
        turned = rows.length >= LEAST;
        this.values = turned ? turned(values) : values;
    }

    private static float[][] turned(float[][] rows) {
        float[][] turned = new float[rows[0].length][rows.length];
        for (int r = 0; r < rows.length; r++) {
            for (int k = 0; k < turned.length; k++) {
                turned[k][r] = rows[r][k];
            }
        }
        return turned;
    }

    /** Rows of a matrix in blocks. */
    static List<RowBlock> of(IntFunction<float[]> matrix, int[] rows) {
        List<RowBlock> blocks = new ArrayList<>();
        for (int from = 0; from < rows.length; from += MOST) {
            int[] part = Arrays.copyOfRange(rows, from, Math.min(from + MOST, rows.length));
            blocks.add(new RowBlock(part, Arrays.stream(part).mapToObj(matrix).toArray(float[][]::new)));
        }
        return blocks;
    }

    /** Numbers of the rows. */
    int[] rows() {
        return rows;
    }

    /** The product of each row and a vector. */
    double[] times(double[] vector) {
        double[] products = new double[rows.length];
        if (turned) {
            Sums.weighted(products, vector, values, 0, vector.length);
        } else {
            Arrays.setAll(products, r -> Sums.dot(values[r], vector));
        }
        return products;
    }
}
