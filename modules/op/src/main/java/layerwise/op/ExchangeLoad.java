package layerwise.op;

/**
 * How many rows an all-to-all moves between this rank and the others; expectations where the routing is not known
 * beforehand.
 *
 * @param sent     pairs of one of this rank's tokens and another rank that has an expert of it
 * @param received pairs of another rank's token and this rank, the same way
 */
public record ExchangeLoad(double sent, double received) {
    public ExchangeLoad {
        if (!(sent >= 0 && received >= 0)) {
            throw new IllegalArgumentException("%s rows sent, %s received".formatted(sent, received));
        }
    }

    /** Expected load when every token takes {@code topK} of {@code experts} experts uniformly at random. */
    public static ExchangeLoad expected(RankTokens tokens, int topK, int experts) {
        int ranks = tokens.group().size();
        double missed = 1; // probability that a token has none of its experts on a given rank
        for (int j = 0; j < topK; j++) {
            missed *= Math.max(0, (double) (experts - experts / ranks - j) / (experts - j));
        }
        double each = 1 - missed;
        return new ExchangeLoad(tokens.own() * (ranks - 1) * each, tokens.others() * each);
    }

    /** Bytes over links in the busier direction. */
    long linkBytes(double rowBytes) {
        return Math.round(Math.max(sent, received) * rowBytes);
    }
}
