package layerwise.model.balance;

/** How the tokens of a MoE layer are spread over experts; printed as options and YAML spell it. */
public enum BalanceMethod {
    /** The router's own choice stands. */
    NOT_MODIFIED("NotModified"),
    /** Every rank and every expert gets the same number of tokens, as nearly as integers allow. */
    BALANCED("Balanced"),
    /** A share of the tokens goes to the experts of rank 0 only. */
    IMBALANCED_RANKS("ImbalancedRanks"),
    /** A share of the tokens goes to the first experts of every rank: ranks stay balanced, experts do not. */
    IMBALANCED_EXPERTS("ImbalancedExperts");

    private final String spelling;

    BalanceMethod(String spelling) {
        this.spelling = spelling;
    }

    /** Whether the method divides tokens by a balance ratio and so needs one. */
    public boolean needsRatio() {
        return this == IMBALANCED_RANKS || this == IMBALANCED_EXPERTS;
    }

    @Override
    public String toString() {
        return spelling;
    }
}
