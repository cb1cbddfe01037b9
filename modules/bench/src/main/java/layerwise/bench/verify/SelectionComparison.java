package layerwise.bench.verify;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import layerwise.tensor.HostTensor;

/**
 * Judges a choice of positions by the scores that it was made from: the right number of different positions, none of them
 * with a smaller score than one that was not chosen.
 */
final class SelectionComparison {
    private SelectionComparison() {}

    /** Of {@code logits [N,S]}, {@code positions [N]} and {@code indices [N,k]}, all as the device has them. */
    static Comparison of(HostTensor logits, HostTensor positions, HostTensor indices) {
        int width = (int) logits.shape().dim(1);
        int k = (int) indices.shape().dim(1);
        int[] last = positions.copyToInts();
        int[] chosen = indices.copyToInts();
        return IntStream.range(0, last.length)
                .parallel()
                .mapToObj(row -> ofRow(
                        row,
                        logits.slice(0, row, row + 1L)
                                .slice(1, 0, Math.min(width, last[row] + 1L))
                                .copyToFloats(),
                        Arrays.copyOfRange(chosen, row * k, (row + 1) * k)))
                .reduce(new Comparison(0, 0, 0, 0, ""), Comparison::and);
    }

    static Comparison ofRow(int row, float[] scores, int[] chosen) {
        int count = Math.min(chosen.length, scores.length);
        boolean[] taken = new boolean[scores.length];
        float least = Float.POSITIVE_INFINITY;
        for (int j = 0; j < chosen.length; j++) {
            int s = chosen[j];
            boolean right = j < count ? s >= 0 && s < scores.length && !taken[s] : s == -1;
            if (!right) {
                return wrong(row, chosen.length, "place %d holds %d", j, s);
            }
            if (j < count) {
                taken[s] = true;
                least = Math.min(least, scores[s]);
            }
        }
        for (int s = 0; s < scores.length; s++) {
            if (!taken[s] && scores[s] > least) {
                return wrong(
                        row, chosen.length, "position %d has %s, more than the least chosen, %s", s, scores[s], least);
            }
        }
        return new Comparison(0, 0, chosen.length, 0, "");
    }

    private static Comparison wrong(int row, int compared, String what, Object... values) {
        String remark = "row " + row + ": " + String.format(Locale.ROOT, what, values);
        return new Comparison(Double.POSITIVE_INFINITY, 0, compared, 1, remark);
    }
}
