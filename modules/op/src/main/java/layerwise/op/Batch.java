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
}
