package layerwise.model.balance;

import java.util.Random;

/**
 * Pseudo-random rows of distinct ascending experts, such that the tokens of any two experts differ by at most one.
 *
 * <p>Experts take their tokens in index order, each in a permutation of its own. A token that needs all experts that
 * are left comes first. So every row fills: quotas that differ by at most one fit any rows that need no more experts
 * than are left (Gale 1957, Ryser 1957: nearly equal sums are majorised by all others).
 */
final class RandomRows {
    /** Fixed, so that every call and every rank gets the same rows. */
    private static final long SEED = 515;

    private final int topK;
    private final int[] selected;
    private final int[] filled;

    private RandomRows(int rows, int topK) {
        this.topK = topK;
        this.selected = new int[Math.multiplyExact(rows, topK)];
        this.filled = new int[rows];
    }

    /** {@code [rows, topK]}, row-major. */
    static int[] of(int rows, int topK, int experts) {
        RandomRows result = new RandomRows(rows, topK);
        Random random = new Random(SEED);
        for (int expert = 0; expert < experts; expert++) {
            result.fill(expert, experts, permutation(rows, random));
        }
        return result.selected;
    }

    private void fill(int expert, int experts, int[] order) {
        int left = experts - expert;
        int quota = (selected.length / experts) + (expert < selected.length % experts ? 1 : 0);
        for (int token : order) {
            if (topK - filled[token] == left) {
                take(token, expert);
                quota--;
            }
        }
        for (int i = 0; i < order.length && quota > 0; i++) {
            if (filled[order[i]] < topK && !has(order[i], expert)) {
                take(order[i], expert);
                quota--;
            }
        }
    }

    private void take(int token, int expert) {
        selected[(token * topK) + filled[token]] = expert;
        filled[token]++;
    }

    private boolean has(int token, int expert) {
        return filled[token] > 0 && selected[(token * topK) + filled[token] - 1] == expert;
    }

    private static int[] permutation(int length, Random random) {
        int[] order = new int[length];
        for (int i = 0; i < length; i++) {
            int other = random.nextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        return order;
    }
}
