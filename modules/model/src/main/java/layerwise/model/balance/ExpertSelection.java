package layerwise.model.balance;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import layerwise.tensor.ConfigException;

/**
 * Made-up expert selections of one rank's tokens, in place of its router's.
 *
 * <p>Experts are numbered over all ranks: rank {@code r} owns {@code [r * E/R, (r + 1) * E/R)}. Under attention data
 * parallelism every rank routes its own tokens; else all ranks route the same ones as if they were rank 0 of one.
 *
 * @param tokens tokens that this rank routes
 * @param topK experts of each token, at most {@code experts}
 * @param experts experts of all ranks, a multiple of {@code epSize}
 * @param epSize ranks that share the experts
 * @param dpSize ranks whose tokens differ: {@code epSize} under attention data parallelism, else 1
 * @param dpRank this rank's number among them
 */
public record ExpertSelection(int tokens, int topK, int experts, int epSize, int dpSize, int dpRank) {
    /** @throws IllegalArgumentException if the sizes do not fit together */
    public ExpertSelection {
        boolean fits = tokens >= 0
                && topK >= 1
                && topK <= experts
                && epSize >= 1
                && experts % epSize == 0
                && dpRank >= 0
                && dpRank < dpSize;
        if (!fits) {
            throw new IllegalArgumentException("tokens %d, topK %d, experts %d, epSize %d, dpSize %d, dpRank %d"
                    .formatted(tokens, topK, experts, epSize, dpSize, dpRank));
        }
    }

    /**
     * The experts of every token, each row ascending and without duplicates.
     *
     * @param method how tokens are spread
     * @param ratio share of the tokens that stay balanced, in [0, 1]; present where the method needs one
     * @param assignment how balanced rows are spread
     * @return {@code [tokens, topK]}, row-major; empty for {@link BalanceMethod#NOT_MODIFIED}
     * @throws ConfigException if rank 0 has too few experts to take all tokens
     */
    public Optional<int[]> select(BalanceMethod method, OptionalDouble ratio, Assignment assignment) {
        return switch (method) {
            case NOT_MODIFIED -> Optional.empty();
            case BALANCED -> Optional.of(balanced(tokens, experts, assignment));
            case IMBALANCED_RANKS -> {
                requireRoomOnOneRank();
                int even = balancedTokens(ratio.orElseThrow());
                yield Optional.of(joined(balanced(even, experts, assignment), onFirstRank(tokens - even)));
            }
            case IMBALANCED_EXPERTS -> {
                int even = balancedTokens(ratio.orElseThrow());
                int[] uneven = onFirstExperts(tokens - even, assignment);
                yield Optional.of(joined(balanced(even, experts, assignment), uneven));
            }
        };
    }

    /**
     * Leading rows that stay balanced: none for ratio 0; else as many as reach every expert, all data-parallel ranks
     * taken together, and the given share of the others, rounded half to even.
     */
    int balancedTokens(double ratio) {
        if (!(ratio >= 0 && ratio <= 1)) {
            throw new IllegalArgumentException("balance ratio " + ratio + " is not in [0, 1]");
        }
        if (ratio == 0) {
            return 0;
        }
        int least = (int) Math.min(tokens, Math.ceilDiv(experts, (long) dpSize * topK));
        return least + (int) Math.rint((tokens - least) * ratio);
    }

    private int expertsPerRank() {
        return experts / epSize;
    }

    /** Rows that reach the first {@code reached} of equally many experts on every rank; ids as if there were no others. */
    private int[] balanced(int rows, int reached, Assignment assignment) {
        return switch (assignment) {
            case ROUND_ROBIN -> roundRobin(rows, reached);
            case RANDOM -> RandomRows.of(rows, topK, reached);
        };
    }

    private int[] roundRobin(int rows, int reached) {
        int perRank = reached / epSize;
        int[] selected = new int[Math.multiplyExact(rows, topK)];
        long first = (long) dpRank * selected.length;
        for (int i = 0; i < selected.length; i++) {
            long slot = first + i;
            selected[i] = ((int) (slot % epSize) * perRank) + (int) (slot / epSize % perRank);
        }
        return sortedRows(selected);
    }

    private int[] onFirstRank(int rows) {
        int[] selected = new int[Math.multiplyExact(rows, topK)];
        long first = (long) dpRank * selected.length;
        for (int i = 0; i < selected.length; i++) {
            selected[i] = (int) ((first + i) % expertsPerRank());
        }
        return sortedRows(selected);
    }

    /** Balanced over ranks, but each rank uses no more of its experts than one token needs. */
    private int[] onFirstExperts(int rows, Assignment assignment) {
        int active = Math.ceilDiv(topK, epSize);
        int[] selected = balanced(rows, active * epSize, assignment);
        for (int i = 0; i < selected.length; i++) {
            selected[i] = (selected[i] / active * expertsPerRank()) + (selected[i] % active);
        }
        return selected;
    }

    private void requireRoomOnOneRank() {
        if (topK > expertsPerRank()) {
            throw new ConfigException("balance_method " + BalanceMethod.IMBALANCED_RANKS
                    + ": Cannot send all tokens to a single rank because `top_k > experts_per_rank` (" + topK + " > "
                    + expertsPerRank() + "); fewer ranks, or " + BalanceMethod.IMBALANCED_EXPERTS + ", would do");
        }
    }

    private int[] sortedRows(int[] selected) {
        for (int row = 0; row < selected.length; row += topK) {
            Arrays.sort(selected, row, row + topK);
        }
        return selected;
    }

    private static int[] joined(int[] first, int[] second) {
        int[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}
