package layerwise.op;

/**
 * How much of the experts a step uses.
 *
 * @param rows          token-expert pairs that this rank's experts get
 * @param activeExperts experts with at least one row; an expectation where the routing is not known beforehand
 */
public record ExpertLoad(long rows, double activeExperts) {
    public ExpertLoad {
        if (rows < 0 || activeExperts < 0 || activeExperts > (double) rows) {
            throw new IllegalArgumentException("%d rows on %s experts".formatted(rows, activeExperts));
        }
    }

    /** Expected load when {@code rows} pairs of top-{@code topK} choices fall on experts uniformly at random. */
    public static ExpertLoad expected(long tokens, int topK, int experts) {
        double active = experts * (1 - Math.pow(1 - (double) topK / experts, (double) tokens));
        return new ExpertLoad(tokens * topK, Math.min(active, (double) tokens * topK));
    }
}
