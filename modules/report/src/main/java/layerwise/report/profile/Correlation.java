package layerwise.report.profile;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import layerwise.trace.TraceException;

/**
 * Places the kernels of a timeline on the axis of a reference: the i-th reference kernel stands at i+1, equal kernels at
 * the same place, and others between their neighbours.
 */
public final class Correlation {
    private Correlation() {}

    /**
     * The place of every target kernel.
     *
     * @throws TraceException if the two have no kernel in common
     */
    public static double[] places(List<String> reference, List<String> target) {
        List<String> merged = Supersequence.merge(reference, target);
        double[] axis = new double[merged.size()];
        Arrays.fill(axis, Double.NaN);
        int next = 0;
        for (int i = 0; i < axis.length && next < reference.size(); i++) {
            if (merged.get(i).equals(reference.get(next))) {
                axis[i] = ++next;
            }
        }
        double[] places = Arrays.stream(Supersequence.positions(target, merged))
                .mapToDouble(position -> axis[position])
                .toArray();
        fillEnds(places, reference.size());
        fillGaps(places);
        return places;
    }

    private static void fillEnds(double[] places, int referenceSize) {
        double[] known =
                Arrays.stream(places).filter(place -> !Double.isNaN(place)).toArray();
        if (known.length == 0) {
            throw new TraceException("reference and target have no kernel in common");
        }
        if (Double.isNaN(places[0])) {
            places[0] = Math.min(1, known[0] - 1);
        }
        if (Double.isNaN(places[places.length - 1])) {
            places[places.length - 1] = Math.max(referenceSize, known[known.length - 1] + 1);
        }
    }

    private static void fillGaps(double[] places) {
        int[] known = IntStream.range(0, places.length)
                .filter(i -> !Double.isNaN(places[i]))
                .toArray();
        for (int k = 1; k < known.length; k++) {
            int from = known[k - 1];
            int to = known[k];
            for (int i = from + 1; i < to; i++) {
                places[i] = places[from] + (places[to] - places[from]) * (i - from) / (to - from);
            }
        }
    }
}
