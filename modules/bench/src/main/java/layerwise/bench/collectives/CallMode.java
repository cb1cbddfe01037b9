package layerwise.bench.collectives;

import java.util.Locale;

/** How calls are made. */
enum CallMode {
    /** Replays of a graph that holds several calls in a row. */
    GRAPH,
    /** One launch after the other. */
    EAGER;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
