package layerwise.bench.forward;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import layerwise.model.layer.Router;
import layerwise.op.Memory;
import layerwise.op.Routing;
import layerwise.tensor.HostTensor;

/**
 * Tells whether a token whose experts differ from the expected ones could differ by rounding alone.
 *
 * <p>The expected choice is made here, in float64, from expected activations. A choice is undecided where the least
 * advantage of a chosen expert (or group) over one that was not chosen is below what rounding the router's input to
 * bfloat16 can move the two scores by.
 */
final class RoutingJudge {
    /** Unit roundoff of bfloat16. */
    private static final double BFLOAT16 = 0x1p-8;

    private final Router router;
    private final float[] gain;
    private final float[] weight;
    private final float[] bias;

    RoutingJudge(Router router, float[] gain, float[] weight, float[] bias) {
        this.router = router;
        this.gain = gain;
        this.weight = weight;
        this.bias = bias;
    }

    static RoutingJudge of(Router router, Memory memory, Arena arena) {
        return new RoutingJudge(
                router,
                memory.read(router.gain(), arena).copyToFloats(),
                memory.read(router.weight().data(), arena).copyToFloats(),
                router.bias()
                        .map(bias -> memory.read(bias, arena).copyToFloats())
                        .orElse(new float[(int) router.weight().n()]));
    }

    /**
     * Tokens whose experts differ from the expected ones although both choices are as good as each other.
     *
     * @param terms each {@code [B,S,H]}, what the residual stream before the router's norm is the sum of
     * @param ids   {@code [B·S,k]} int32, what was chosen
     */
    boolean[] undecided(List<HostTensor> terms, HostTensor ids) {
        List<float[]> stream = terms.stream().map(HostTensor::copyToFloats).toList();
        int[] chosen = ids.copyToInts();
        int hidden = gain.length;
        boolean[] undecided = new boolean[stream.getFirst().length / hidden];
        for (int t = 0; t < undecided.length; t++) {
            double[] x = new double[hidden];
            for (int h = 0; h < hidden; h++) {
                for (float[] term : stream) {
                    x[h] += term[t * hidden + h];
                }
            }
            undecided[t] =
                    undecided(normalised(x), Arrays.copyOfRange(chosen, t * router.topK(), (t + 1) * router.topK()));
        }
        return undecided;
    }

    private double[] normalised(double[] x) {
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        double scale = 1 / Math.sqrt(squares / x.length + router.epsilon());
        for (int h = 0; h < x.length; h++) {
            x[h] *= scale * gain[h];
        }
        return x;
    }

    private boolean undecided(double[] x, int[] chosen) {
        int experts = bias.length;
        double[] scores = new double[experts];
        double[] errors = new double[experts];
        for (int e = 0; e < experts; e++) {
            double logit = 0;
            double magnitude = 0;
            for (int h = 0; h < x.length; h++) {
                double product = x[h] * weight[e * x.length + h];
                logit += product;
                magnitude += Math.abs(product);
            }
            // The layer's input, the attention's result and the norm's are each rounded once.
            double logitError = 3 * BFLOAT16 * magnitude;
            switch (router.routing()) {
                case Routing.SigmoidGroups grouped -> {
                    double sigmoid = 1 / (1 + Math.exp(-logit));
                    scores[e] = sigmoid + bias[e];
                    errors[e] = logitError * sigmoid * (1 - sigmoid);
                }
                // The softmax keeps the order of the logits.
                case Routing.Softmax softmax -> {
                    scores[e] = logit;
                    errors[e] = logitError;
                }
            }
        }
        Set<Integer> got = new HashSet<>();
        for (int id : chosen) {
            got.add(id);
        }
        Set<Integer> groups = new HashSet<>();
        double groupMargin = Double.POSITIVE_INFINITY;
        int size = experts;
        if (router.routing() instanceof Routing.SigmoidGroups grouped) {
            size = experts / grouped.groups();
            groupMargin = best(twoLargest(scores, size), twoLargest(errors, size), grouped.topGroups(), groups);
        } else {
            groups.add(0);
        }
        double[] allowed = scores.clone();
        for (int e = 0; e < experts; e++) {
            if (!groups.contains(e / size)) {
                allowed[e] = Double.NEGATIVE_INFINITY;
            }
        }
        Set<Integer> expected = new HashSet<>();
        double margin = best(allowed, errors, router.topK(), expected);
        return !expected.equals(got) && Math.min(margin, groupMargin) < 1;
    }

    /** Fills in the largest; returns the least advantage over the others, as a multiple of the error of the two. */
    private static double best(double[] scores, double[] errors, int count, Set<Integer> chosen) {
        Integer[] order = new Integer[scores.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Double.compare(scores[b], scores[a]));
        chosen.addAll(Arrays.asList(order).subList(0, count));
        double margin = Double.POSITIVE_INFINITY;
        for (int in : Arrays.asList(order).subList(0, count)) {
            for (int out : Arrays.asList(order).subList(count, order.length)) {
                if (scores[out] > Double.NEGATIVE_INFINITY) {
                    margin = Math.min(margin, (scores[in] - scores[out]) / (errors[in] + errors[out]));
                }
            }
        }
        return margin;
    }

    /** The sum of the two largest values of each group of {@code size}. */
    private static double[] twoLargest(double[] values, int size) {
        double[] sums = new double[values.length / size];
        for (int g = 0; g < sums.length; g++) {
            double[] sorted = Arrays.copyOfRange(values, g * size, (g + 1) * size);
            Arrays.sort(sorted);
            sums[g] = sorted[size - 1] + (size > 1 ? sorted[size - 2] : 0);
        }
        return sums;
    }
}
