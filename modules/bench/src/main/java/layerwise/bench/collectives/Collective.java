package layerwise.bench.collectives;

/** What is timed, printed as its operator is called. */
enum Collective {
    ALL_REDUCE("AllReduce"),
    ALL_GATHER("AllGather"),
    REDUCE_SCATTER("ReduceScatter"),
    /** Equal parts from every rank to every rank; no operator, since layers send tokens where their experts are. */
    ALL_TO_ALL("AllToAll");

    private final String text;

    Collective(String text) {
        this.text = text;
    }

    /** What a rank's links carry at least, one way, as a multiple of the collective's size. */
    double busShare(int ranks) {
        double others = (ranks - 1.0) / ranks;
        return this == ALL_REDUCE ? 2 * others : others;
    }

    @Override
    public String toString() {
        return text;
    }
}
