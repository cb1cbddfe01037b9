package layerwise.op;

import java.util.Collections;
import java.util.List;

/**
 * How many tokens each sequence brings and has: what the cost of attention depends on.
 *
 * @param queries new tokens of each sequence, at least one
 * @param past    tokens of each sequence that are in the cache before the step
 */
public record Batch(List<Integer> queries, List<Integer> past) {
    public Batch {
        queries = List.copyOf(queries);
        past = List.copyOf(past);
        if (queries.isEmpty() || queries.size() != past.size()) {
            throw new IllegalArgumentException(
                    "%d query lengths, %d past lengths".formatted(queries.size(), past.size()));
        }
        if (queries.stream().anyMatch(q -> q < 1) || past.stream().anyMatch(p -> p < 0)) {
            throw new IllegalArgumentException("a sequence has no new token or a negative past");
        }
    }

    /** {@code sequences} equal ones. */
    public static Batch uniform(int sequences, int queries, int past) {
        return new Batch(Collections.nCopies(sequences, queries), Collections.nCopies(sequences, past));
    }

    /** B. */
    public int sequences() {
        return queries.size();
    }

    /** T: new tokens of all sequences together. */
    public int tokens() {
        return queries.stream().mapToInt(Integer::intValue).sum();
    }

    /** Tokens of all sequences after the step. */
    public long context() {
        return tokens() + past.stream().mapToLong(Integer::intValue).sum();
    }

    /** The longest sequence after the step. */
    public int longest() {
        int longest = 0;
        for (int i = 0; i < queries.size(); i++) {
            longest = Math.max(longest, queries.get(i) + past.get(i));
        }
        return longest;
    }

    public boolean hasPast() {
        return past.stream().anyMatch(p -> p > 0);
    }

    /** Pairs of a new token and a position that it may see: causal attention's number of scores per head. */
    public long visiblePairs() {
        long pairs = 0;
        for (int i = 0; i < queries.size(); i++) {
            long q = queries.get(i);
            pairs += q * past.get(i) + q * (q + 1) / 2;
        }
        return pairs;
    }

    /**
     * What some of the new tokens see.
     *
     * @param pairs   of a token and a position that it may see
     * @param context positions of all sequences up to the last that one of them sees
     */
    public record Reach(long pairs, long context) {}

    /** What the tokens from {@code first} on see, of so many. */
    public Reach reach(int first, int tokens) {
        long pairs = 0;
        long context = 0;
        int start = 0;
        for (int i = 0; i < queries.size(); i++) {
            long from = Math.max(first, start) - (long) start;
            long to = Math.min((long) first + tokens, (long) start + queries.get(i)) - start;
            if (from < to) {
                // Token j of the sequence sees past + j + 1 positions.
                pairs += (to - from) * past.get(i) + (to * (to + 1) - from * (from + 1)) / 2;
                context += past.get(i) + to;
            }
            start += queries.get(i);
        }
        return new Reach(pairs, context);
    }

    /** Pairs of a new token and one of the positions that it chooses: at most {@code k} of those it may see. */
    public long chosenPairs(int k) {
        long pairs = 0;
        for (int i = 0; i < queries.size(); i++) {
            pairs += chosen(i, k);
        }
        return pairs;
    }

    /** The least number of different positions that are chosen, were all tokens of a sequence to choose alike. */
    public long chosenRows(int k) {
        long rows = 0;
        for (int i = 0; i < queries.size(); i++) {
            rows += Math.min(chosen(i, k), (long) past.get(i) + queries.get(i));
        }
        return rows;
    }

    private long chosen(int sequence, int k) {
        long p = past.get(sequence);
        long q = queries.get(sequence);
        // The first tokens see fewer than k.
        long growing = Math.clamp(k - p, 0, q);
        return growing * p + growing * (growing + 1) / 2 + (q - growing) * k;
    }
}
