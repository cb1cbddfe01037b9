package layerwise.bench.verify;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.tensor.HostTensor;

/**
 * Compares a router's choice of experts. Where the device chose differently, its choice passes only if no other has
 * scores better by more than float32 arithmetic can be off, and its weights are those of its own choice.
 */
final class RouteComparison {
    private final Route op;
    private final float[] logits;
    private final float[] bias;
    private final int experts;
    private final int topK;
    private final Tolerance tolerance;

    RouteComparison(Route op, HostTensor logits, float[] bias) {
        this.op = op;
        this.logits = logits.copyToFloats();
        this.bias = bias;
        experts = (int) op.logits().dim(1);
        topK = (int) op.ids().dim(1);
        tolerance = Tolerance.of(op, op.weights().dtype());
    }

    /** Of the chosen experts. */
    Comparison ids(int[] actual, int[] expected) {
        return tokens().mapToObj(t -> {
                    int[] a = Arrays.copyOfRange(actual, t * topK, (t + 1) * topK);
                    int[] b = Arrays.copyOfRange(expected, t * topK, (t + 1) * topK);
                    if (Arrays.equals(a, b)) {
                        return new Comparison(0, 0, topK, 0, "");
                    }
                    String both =
                            "token %d: experts %s, expected %s".formatted(t, Arrays.toString(a), Arrays.toString(b));
                    return isAsGood(t, a)
                            ? new Comparison(1, 0, topK, 0, both + ", scores alike")
                            : new Comparison(Double.POSITIVE_INFINITY, 0, topK, 1, both);
                })
                .reduce(new Comparison(0, 0, 0, 0, ""), Comparison::and);
    }

    /** Of the weights, given the experts that they belong to. */
    Comparison weights(float[] actual, int[] ids) {
        return tokens().mapToObj(t -> {
                    double[] expected = weights(scores(t), Arrays.copyOfRange(ids, t * topK, (t + 1) * topK));
                    Comparison row = new Comparison(0, 0, topK, 0, "");
                    for (int j = 0; j < topK; j++) {
                        double difference = Math.abs(actual[t * topK + j] - expected[j]);
                        double allowed = tolerance.relative() * Math.abs(expected[j]);
                        boolean right = difference <= allowed;
                        row = row.and(new Comparison(
                                difference == 0 ? 0 : right ? difference / allowed : Double.POSITIVE_INFINITY,
                                difference,
                                0,
                                right ? 0 : 1,
                                right
                                        ? ""
                                        : String.format(
                                                Locale.ROOT,
                                                "[%d,%d]: %s, expected %s ± %.2e",
                                                t,
                                                j,
                                                actual[t * topK + j],
                                                expected[j],
                                                allowed)));
                    }
                    return row;
                })
                .reduce(new Comparison(0, 0, 0, 0, ""), Comparison::and);
    }

    private IntStream tokens() {
        return IntStream.range(0, logits.length / experts).parallel();
    }

    /** Scores before the bias: sigmoids, or exponentials of which a common factor does not matter to the order. */
    private double[] scores(int token) {
        double[] scores = new double[experts];
        double most = IntStream.range(0, experts)
                .mapToDouble(e -> logits[token * experts + e])
                .max()
                .orElseThrow();
        double total = 0;
        for (int e = 0; e < experts; e++) {
            double logit = logits[token * experts + e];
            scores[e] = switch (op.routing()) {
                case Routing.SigmoidGroups grouped -> 1 / (1 + Math.exp(-logit));
                case Routing.Softmax softmax -> Math.exp(logit - most);
            };
            total += scores[e];
        }
        if (op.routing() instanceof Routing.Softmax) {
            for (int e = 0; e < experts; e++) {
                scores[e] /= total;
            }
        }
        return scores;
    }

    private double[] weights(double[] scores, int[] ids) {
        double total = Arrays.stream(ids).mapToDouble(id -> scores[id]).sum();
        double factor = switch (op.routing()) {
            case Routing.SigmoidGroups grouped -> grouped.scale() / (grouped.normalise() ? total + 1e-20 : 1);
            case Routing.Softmax softmax -> softmax.normalise() ? 1 / total : 1;
        };
        return Arrays.stream(ids).mapToDouble(id -> factor * scores[id]).toArray();
    }

    private boolean isAsGood(int token, int[] chosen) {
        double[] scores = scores(token);
        double[] choice = new double[experts];
        double most = 0;
        for (int e = 0; e < experts; e++) {
            choice[e] = scores[e] + bias[e];
            most = Math.max(most, Math.abs(choice[e]));
        }
        // Two scores, each off by as much.
        double near = 2 * tolerance.relative() * most;
        Set<Integer> set = new HashSet<>();
        for (int id : chosen) {
            if (id < 0 || id >= experts || !set.add(id)) {
                return false;
            }
        }
        for (int j = 1; j < topK; j++) {
            if (choice[chosen[j]] > choice[chosen[j - 1]] + near) {
                return false;
            }
        }
        double least = choice[chosen[topK - 1]];
        Groups groups = Groups.of(choice, op.routing(), near);
        return IntStream.range(0, experts)
                .allMatch(e -> set.contains(e)
                        ? groups.possible().contains(groups.of(e))
                        : !groups.certain().contains(groups.of(e)) || choice[e] <= least + near);
    }

    /**
     * Groups of experts that the choice is made from.
     *
     * @param possible could be among the best, given errors
     * @param certain  must be
     * @param size     experts of one
     */
    private record Groups(Set<Integer> possible, Set<Integer> certain, int size) {
        static Groups of(double[] choice, Routing routing, double near) {
            if (!(routing instanceof Routing.SigmoidGroups grouped) || grouped.topGroups() == grouped.groups()) {
                return new Groups(Set.of(0), Set.of(0), choice.length);
            }
            int size = choice.length / grouped.groups();
            double[] sums = new double[grouped.groups()];
            for (int g = 0; g < sums.length; g++) {
                double[] sorted = Arrays.copyOfRange(choice, g * size, (g + 1) * size);
                Arrays.sort(sorted);
                sums[g] = sorted[size - 1] + (size > 1 ? sorted[size - 2] : 0);
            }
            double[] ranked = sums.clone();
            Arrays.sort(ranked);
            double last = ranked[sums.length - grouped.topGroups()];
            double next = ranked[sums.length - grouped.topGroups() - 1];
            Set<Integer> possible = new HashSet<>();
            Set<Integer> certain = new HashSet<>();
            for (int g = 0; g < sums.length; g++) {
                // A sum is off by twice as much as a score.
                if (sums[g] >= last - 2 * near) {
                    possible.add(g);
                }
                if (sums[g] > next + 2 * near) {
                    certain.add(g);
                }
            }
            return new Groups(possible, certain, size);
        }

        int of(int expert) {
            return expert / size;
        }
    }
}
