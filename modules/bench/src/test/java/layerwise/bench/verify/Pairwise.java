package layerwise.bench.verify;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;

/** Few combinations of choices that hold every pair of two choices, as far as pairs are allowed. */
final class Pairwise {
    /** Random completions of a pair, of which the one that covers most is taken. */
    private static final int TRIES = 100;

    private final int[] choices;
    private final Predicate<int[]> allowed;
    private final Random random = new Random(7);

    private Pairwise(int[] choices, Predicate<int[]> allowed) {
        this.choices = choices;
        this.allowed = allowed;
    }

    /** A choice of one dimension beside a choice of a later one. */
    private record Pair(int first, int chosen, int second, int other) {}

    /**
     * Combinations, each a number of a choice for every dimension.
     *
     * @param choices how many each dimension has
     * @param allowed whether a combination may be among them
     */
    static List<int[]> of(int[] choices, Predicate<int[]> allowed) {
        return new Pairwise(choices, allowed).combinations();
    }

    private List<int[]> combinations() {
        List<int[]> combinations = new ArrayList<>();
        Set<Pair> covered = new HashSet<>();
        for (Pair pair : all()) {
            if (!covered.contains(pair)) {
                int[] best = completed(pair, covered);
                if (best.length > 0) {
                    combinations.add(best);
                    covered.addAll(pairs(best));
                }
            }
        }
        return combinations;
    }

    /** The combination with the pair that covers most, or nothing if none is allowed. */
    private int[] completed(Pair pair, Set<Pair> covered) {
        int[] best = {};
        long most = -1;
        for (int i = 0; i < TRIES; i++) {
            int[] one = Arrays.stream(choices).map(random::nextInt).toArray();
            one[pair.first()] = pair.chosen();
            one[pair.second()] = pair.other();
            if (allowed.test(one)) {
                long gain =
                        pairs(one).stream().filter(p -> !covered.contains(p)).count();
                if (gain > most) {
                    most = gain;
                    best = one;
                }
            }
        }
        return best;
    }

    private List<Pair> all() {
        List<Pair> pairs = new ArrayList<>();
        for (int first = 0; first < choices.length; first++) {
            for (int second = first + 1; second < choices.length; second++) {
                for (int chosen = 0; chosen < choices[first]; chosen++) {
                    for (int other = 0; other < choices[second]; other++) {
                        pairs.add(new Pair(first, chosen, second, other));
                    }
                }
            }
        }
        return pairs;
    }

    private static List<Pair> pairs(int[] combination) {
        List<Pair> pairs = new ArrayList<>();
        for (int first = 0; first < combination.length; first++) {
            for (int second = first + 1; second < combination.length; second++) {
                pairs.add(new Pair(first, combination[first], second, combination[second]));
            }
        }
        return pairs;
    }
}
