package layerwise.bench.verify;

import java.util.Random;

/** Where tokens go: tables of k different experts for each. */
enum TokenRouting {
    /** Where the router sends them; a table stands for other ranks' routers, uniform. */
    ROUTED,
    /** Every expert has as many rows as the others, or one more. */
    BALANCED,
    /** The first experts have many times the rows of the last ones. */
    SKEWED,
    /** All tokens take the same, the last, k experts. */
    ALL_ON_LAST,
    /** Every other expert has no rows. */
    GAPS,
    /** Experts of the upper half have no rows: a rank that has some of them has none at all. */
    LOWER_HALF;

    /** Experts that a table may name. */
    int reachable(int experts) {
        return switch (this) {
            case ROUTED, BALANCED, SKEWED, ALL_ON_LAST -> experts;
            case GAPS, LOWER_HALF -> experts / 2;
        };
    }

    /** {@code [T,k]}. */
    int[] table(int tokens, int topK, int experts) {
        Random random = new Random(5);
        int[] ids = new int[tokens * topK];
        for (int t = 0; t < tokens; t++) {
            for (int j = 0; j < topK; j++) {
                int at = t * topK + j;
                do {
                    ids[at] = draw(random, at, j, experts);
                } while (isAmong(ids, t * topK, at));
            }
        }
        return ids;
    }

    private int draw(Random random, int pair, int j, int experts) {
        return switch (this) {
            case ROUTED -> random.nextInt(experts);
            case BALANCED -> pair % experts;
            case SKEWED -> (int) (experts * Math.pow(random.nextDouble(), 3));
            case ALL_ON_LAST -> experts - 1 - j;
            case GAPS -> 2 * random.nextInt(experts / 2);
            case LOWER_HALF -> random.nextInt(experts / 2);
        };
    }

    private static boolean isAmong(int[] ids, int from, int at) {
        for (int i = from; i < at; i++) {
            if (ids[i] == ids[at]) {
                return true;
            }
        }
        return false;
    }
}
