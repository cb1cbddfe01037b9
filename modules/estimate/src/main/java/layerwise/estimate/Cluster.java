package layerwise.estimate;

/**
 * Where ranks sit: rank by rank on machines of equally many GPUs.
 *
 * @param ranks       R
 * @param gpusPerNode GPUs of one machine
 * @param fabric      what joins them
 */
public record Cluster(int ranks, int gpusPerNode, Fabric fabric) {
    public Cluster {
        if (ranks < 1 || gpusPerNode < 1) {
            throw new IllegalArgumentException("%d ranks, %d to a machine".formatted(ranks, gpusPerNode));
        }
    }

    /** As in {@code 64 ranks, 4 to a machine}. */
    @Override
    public String toString() {
        return ranks == 1
                ? "1 rank"
                : "%d ranks, %d to a machine, %d joined by links".formatted(ranks, gpusPerNode, domain());
    }

    /** Ranks that reach each other over links. */
    public int domain() {
        int joined = fabric.acrossNodes() ? fabric.domain() : Math.min(fabric.domain(), gpusPerNode);
        return Math.min(ranks, joined);
    }

    /** Whether some ranks reach others over the network only. */
    public boolean leavesDomain() {
        return domain() < ranks;
    }

    /** The part of what a rank exchanges evenly with all others that goes over the network. */
    public double remoteShare() {
        return ranks == 1 ? 0 : (double) (ranks - domain()) / (ranks - 1);
    }

    /** Bytes a second that an even exchange can reach at most, links and network working at the same time. */
    public double rate(double linkBytesPerSecond) {
        double remote = remoteShare();
        double network = remote == 0 ? Double.POSITIVE_INFINITY : fabric.nicBytesPerSecond() / remote;
        return remote == 1 ? network : Math.min(network, linkBytesPerSecond / (1 - remote));
    }
}
