package layerwise.op;

/**
 * How much of the experts a step uses.
 *
 * @param rows          token-expert pairs that this rank's experts get
 * @param activeExperts experts with at least one row; an expectation where the routing is not known beforehand
 */
public record ExpertLoad(long rows, double activeExperts) {
    public ExpertLoad {
        if (rows < 0 || !(activeExperts >= 0 && activeExperts <= (double) rows)) { // NaN is no number of experts
            throw new IllegalArgumentException("%d rows on %s experts".formatted(rows, activeExperts));
        }
    }

    /**
     * Expected load of one of {@code ranks} ranks that share the experts when every one of {@code tokens} tokens takes {@code
     * topK} of {@code experts} experts uniformly at random.
     */
    public static ExpertLoad expected(long tokens, int topK, int experts, int ranks) {
        long rows = Math.ceilDiv(tokens * topK, (long) ranks);
        double active = experts * (1 - Math.pow(1 - (double) topK / experts, (double) tokens)) / ranks;
        return new ExpertLoad(rows, Math.min(active, (double) rows));
    }

    /** Expected load of one rank that has all experts. */
    public static ExpertLoad expected(long tokens, int topK, int experts) {
        return expected(tokens, topK, experts, 1);
    }
}
