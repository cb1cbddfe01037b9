package layerwise.bench.forward;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import layerwise.op.IndexLogits;
import layerwise.op.IndexTopK;
import layerwise.op.Memory;
import layerwise.op.Operator;
import layerwise.op.Program;
import layerwise.op.TensorRef;

/**
 * Tells whether a choice of positions could have been made from scores that are off by the rounding of the indexer's
 * queries and keys to E4M3.
 *
 * <p>After the Hadamard matrix elements of a head are alike in size. Each of two factors is off by at most 2⁻⁴ of itself,
 * evenly spread, so that a product of D terms has the standard deviation {@code 2⁻⁴·√(2/3)·|q|·|k|/√D}, and scores that of
 * the weighted sum over heads. Six of them are allowed, for the chosen and for the border's.
 */
final class SelectionJudge {
    private static final double DEVIATION = 0x1p-4 * Math.sqrt(2.0 / 3);
    private static final double ALLOWED = 6;

    private final List<String> wrong = new ArrayList<>();
    private int swapped;

    /** One for each choice of a program that has run with exact scores, after each of which it was made elsewhere. */
    static List<SelectionJudge> of(Program program, Memory memory, Arena arena) {
        List<SelectionJudge> judges = new ArrayList<>();
        List<Operator> operators = program.operators();
        for (int i = 1; i < operators.size(); i++) {
            if (operators.get(i) instanceof IndexTopK choice && operators.get(i - 1) instanceof IndexLogits scores) {
                judges.add(new SelectionJudge(scores, choice, memory, arena));
            }
        }
        return judges;
    }

    private SelectionJudge(IndexLogits scores, IndexTopK choice, Memory memory, Arena arena) {
        float[] logits = floats(choice.logits(), memory, arena);
        int[] positions = memory.read(choice.positions(), arena).copyToInts();
        int[] chosen = memory.read(choice.indices(), arena).copyToInts();
        float[] queries =
                norms(floats(scores.q(), memory, arena), (int) scores.q().dim(2));
        float[] weights = floats(scores.weights(), memory, arena);
        float longest = 0;
        for (float norm : norms(floats(scores.keys().elements(), memory, arena), (int)
                scores.q().dim(2))) {
            longest = Math.max(longest, norm);
        }
        int heads = (int) scores.q().dim(1);
        int width = (int) choice.logits().dim(1);
        int k = (int) choice.indices().dim(1);
        for (int t = 0; t < positions.length; t++) {
            double squares = 0;
            for (int h = t * heads; h < (t + 1) * heads; h++) {
                squares += Math.pow(weights[h] * (double) queries[h], 2);
            }
            double off = ALLOWED
                    * DEVIATION
                    * longest
                    * Math.sqrt(squares / scores.q().dim(2));
            judge(
                    choice.indices().buffer().name() + " token " + t,
                    Arrays.copyOfRange(logits, t * width, t * width + positions[t] + 1),
                    Arrays.copyOfRange(chosen, t * k, (t + 1) * k),
                    2 * off);
        }
    }

    /** Judges alone, for tests. */
    SelectionJudge() {}

    /**
     * Judges one token's choice.
     *
     * @param allowed how far below the border of the exact choice a chosen score may be
     */
    void judge(String who, float[] scores, int[] chosen, double allowed) {
        int count = Math.min(chosen.length, scores.length);
        float[] sorted = scores.clone();
        Arrays.sort(sorted);
        float border = sorted[sorted.length - count];
        boolean[] taken = new boolean[scores.length];
        for (int j = 0; j < chosen.length; j++) {
            int s = chosen[j];
            if (j >= count ? s != -1 : s < 0 || s >= scores.length || taken[s]) {
                wrong.add("%s: place %d holds %d".formatted(who, j, s));
                return;
            }
            if (j < count) {
                taken[s] = true;
                swapped += scores[s] < border ? 1 : 0;
                if (scores[s] < border - allowed) {
                    wrong.add(String.format(
                            Locale.ROOT,
                            "%s: position %d has %.4g, the border is %.4g, FP8 explains %.2g",
                            who,
                            s,
                            scores[s],
                            border,
                            allowed));
                    return;
                }
            }
        }
    }

    private static float[] floats(TensorRef tensor, Memory memory, Arena arena) {
        return memory.read(tensor, arena).copyToFloats();
    }

    private static float[] norms(float[] values, int width) {
        float[] norms = new float[values.length / width];
        for (int r = 0; r < norms.length; r++) {
            double squares = 0;
            for (int i = r * width; i < (r + 1) * width; i++) {
                squares += values[i] * (double) values[i];
            }
            norms[r] = (float) Math.sqrt(squares);
        }
        return norms;
    }

    /** What no rounding explains, in words. */
    List<String> wrong() {
        return List.copyOf(wrong);
    }

    /** Chosen positions that exact scores would not have chosen. */
    int swapped() {
        return swapped;
    }
}
