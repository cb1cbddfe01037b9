package layerwise.estimate;

/**
 * The α–β model of messages between ranks: {@code t = α + bytes / (share · nominal rate)}.
 *
 * @param localNanos  α among GPUs of one domain, for each exchange
 * @param remoteNanos α of an exchange that leaves a domain
 * @param localShare  share of the links' nominal rate
 * @param remoteShare share of the network's nominal rate
 */
public record LinkCosts(double localNanos, double remoteNanos, double localShare, double remoteShare) {
    public LinkCosts {
        if (!(localNanos >= 0 && remoteNanos >= 0 && localShare > 0 && remoteShare > 0)) {
            throw new IllegalArgumentException(
                    "α %s and %s, shares %s and %s".formatted(localNanos, remoteNanos, localShare, remoteShare));
        }
    }
}
