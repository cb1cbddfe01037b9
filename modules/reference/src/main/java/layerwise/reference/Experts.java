package layerwise.reference;

import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.LongStream;
import layerwise.op.Combine;
import layerwise.op.GatherRows;
import layerwise.op.Route;
import layerwise.op.Routing;
import layerwise.op.SortByExpert;
import layerwise.op.TensorRef;

/** Routing of tokens to experts, and the way there and back. */
final class Experts {
    private final Function<TensorRef, Operand> operands;

    Experts(Function<TensorRef, Operand> operands) {
        this.operands = operands;
    }

    void run(Route op) {
        Operand logits = operands.apply(op.logits());
        Operand ids = operands.apply(op.ids());
        Operand weights = operands.apply(op.weights());
        float[] bias = op.bias().map(b -> operands.apply(b).row(0)).orElse(new float[logits.width()]);
        int topK = ids.width();
        for (long t = 0; t < logits.rows(); t++) {
            double[] scores = scores(logits.row(t), op.routing());
            double[] choice = new double[scores.length];
            for (int e = 0; e < choice.length; e++) {
                choice[e] = scores[e] + bias[e];
            }
            if (op.routing() instanceof Routing.SigmoidGroups grouped) {
                excludeGroups(choice, grouped);
            }
            int[] chosen = largest(choice, topK);
            double[] weight = weights(scores, chosen, op.routing());
            for (int j = 0; j < topK; j++) {
                ids.setInt(t, j, chosen[j]);
                weights.set(t, j, (float) weight[j]);
            }
        }
    }

    private static double[] scores(float[] logits, Routing routing) {
        double[] scores = new double[logits.length];
        switch (routing) {
            case Routing.SigmoidGroups grouped -> {
                for (int e = 0; e < scores.length; e++) {
                    scores[e] = 1 / (1 + Math.exp(-logits[e]));
                }
            }
            case Routing.Softmax softmax -> {
                double max = Double.NEGATIVE_INFINITY;
                for (float logit : logits) {
                    max = Math.max(max, logit);
                }
                double total = 0;
                for (int e = 0; e < scores.length; e++) {
                    scores[e] = Math.exp(logits[e] - max);
                    total += scores[e];
                }
                for (int e = 0; e < scores.length; e++) {
                    scores[e] /= total;
                }
            }
        }
        return scores;
    }

    /** Sets the choice of experts outside the best groups to minus infinity. */
    private static void excludeGroups(double[] choice, Routing.SigmoidGroups routing) {
        int size = choice.length / routing.groups();
        double[] groupScores = new double[routing.groups()];
        for (int g = 0; g < groupScores.length; g++) {
            double[] sorted = Arrays.copyOfRange(choice, g * size, (g + 1) * size);
            Arrays.sort(sorted);
            groupScores[g] = sorted[size - 1] + (size > 1 ? sorted[size - 2] : 0);
        }
        boolean[] kept = new boolean[groupScores.length];
        for (int g : largest(groupScores, routing.topGroups())) {
            kept[g] = true;
        }
        for (int e = 0; e < choice.length; e++) {
            if (!kept[e / size]) {
                choice[e] = Double.NEGATIVE_INFINITY;
            }
        }
    }

    /** Indices of the {@code count} largest values, largest first; the lower index wins a tie. */
    private static int[] largest(double[] values, int count) {
        int[] indices = new int[count];
        boolean[] taken = new boolean[values.length];
        for (int j = 0; j < count; j++) {
            int best = -1;
            for (int i = 0; i < values.length; i++) {
                if (!taken[i] && (best < 0 || values[i] > values[best])) {
                    best = i;
                }
            }
            taken[best] = true;
            indices[j] = best;
        }
        return indices;
    }

    private static double[] weights(double[] scores, int[] chosen, Routing routing) {
        double[] weights = new double[chosen.length];
        double total = 0;
        for (int j = 0; j < weights.length; j++) {
            weights[j] = scores[chosen[j]];
            total += weights[j];
        }
        double factor = switch (routing) {
            case Routing.SigmoidGroups grouped -> grouped.scale() / (grouped.normalise() ? total + 1e-20 : 1);
            case Routing.Softmax softmax -> 1 / (softmax.normalise() ? total : 1);
        };
        for (int j = 0; j < weights.length; j++) {
            weights[j] *= factor;
        }
        return weights;
    }

    void run(SortByExpert op) {
        Operand ids = operands.apply(op.ids());
        Operand offsets = operands.apply(op.offsets());
        Operand pairs = operands.apply(op.pairs());
        Operand slots = operands.apply(op.slots());
        int topK = ids.width();
        int row = 0;
        for (int t = 0; t < ids.rows(); t++) {
            for (int j = 0; j < topK; j++) {
                slots.setInt(t, j, -1);
            }
        }
        for (int e = 0; e < op.experts(); e++) {
            offsets.setInt(0, e, row);
            for (int t = 0; t < ids.rows(); t++) {
                for (int j = 0; j < topK; j++) {
                    if (ids.getInt(t, j) == op.first() + e) {
                        pairs.setInt(0, row, t * topK + j);
                        slots.setInt(t, j, row++);
                    }
                }
            }
        }
        offsets.setInt(0, op.experts(), row);
        for (int rest = row; rest < op.pairs().dim(0); rest++) {
            pairs.setInt(0, rest, -1);
        }
    }

    void run(GatherRows op) {
        Operand pairs = operands.apply(op.pairs());
        for (int part = 0; part < op.x().tensors().size(); part++) {
            Operand x = operands.apply(op.x().tensors().get(part));
            Operand y = operands.apply(op.y().tensors().get(part));
            LongStream.range(0, op.pairs().dim(0)).parallel().forEach(p -> {
                int pair = pairs.getInt(p);
                if (pair >= 0) {
                    y.writeRow(p, x.row(pair / op.topK()));
                }
            });
        }
    }

    void run(Combine op) {
        Operand x = operands.apply(op.x());
        Operand slots = operands.apply(op.slots());
        Operand weights = operands.apply(op.weights());
        Operand y = operands.apply(op.y());
        LongStream.range(0, y.rows()).parallel().forEach(t -> {
            double[] sum = new double[y.width()];
            for (int j = 0; j < slots.width(); j++) {
                int slot = slots.getInt(t, j);
                if (slot >= 0) {
                    float[] row = x.row(slot);
                    double weight = weights.get(t, j);
                    for (int h = 0; h < row.length; h++) {
                        sum[h] += weight * row[h];
                    }
                }
            }
            float[] values = new float[sum.length];
            for (int h = 0; h < values.length; h++) {
                values[h] = (float) sum[h];
            }
            y.writeRow(t, values);
        });
    }
}
