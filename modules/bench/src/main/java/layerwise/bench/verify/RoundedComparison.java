package layerwise.bench.verify;

import java.util.OptionalDouble;
import java.util.stream.IntStream;
import layerwise.op.Weight;
import layerwise.reference.Sample;
import layerwise.tensor.Elements;
import layerwise.tensor.HostTensor;

/**
 * Judges rows in E4M3 by what codes and scales stand for together: where a block's largest element was rounded the other way,
 * its scale and with it all its codes are others.
 *
 * @param codes  {@code [T,K]} E4M3
 * @param scales {@code [T,ceil(K/128)]} float32
 */
record RoundedComparison(HostTensor codes, HostTensor scales) {
    /** How these rows compare with the reference's. */
    Comparison with(RoundedComparison expected, Tolerance tolerance) {
        int rows = (int) codes.shape().dim(0);
        Sample all = Sample.all(rows);
        return IntStream.range(0, rows)
                .parallel()
                .mapToObj(
                        t -> Comparison.ofRow(t, row(t), expected.row(t), OptionalDouble.empty(), tolerance, all, true))
                .reduce(new Comparison(0, 0, 0, 0, ""), Comparison::and);
    }

    private float[] row(long t) {
        float[] values = row(codes, t);
        float[] factors = row(scales, t);
        for (int k = 0; k < values.length; k++) {
            values[k] *= factors[k / Weight.ROUNDED_BLOCK];
        }
        return values;
    }

    private static float[] row(HostTensor tensor, long t) {
        float[] values = new float[(int) tensor.shape().dim(1)];
        Elements.read(tensor.memory(), tensor.dtype(), t * values.length, values, 0, values.length);
        return values;
    }
}
