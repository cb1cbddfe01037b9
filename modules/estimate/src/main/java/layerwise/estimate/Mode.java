package layerwise.estimate;

/** How a program is launched. */
public enum Mode {
    /** As one captured graph: both lanes, and nothing between operators but what the device needs. */
    GRAPH,
    /** Operator by operator, all on the main lane. */
    EAGER
}
