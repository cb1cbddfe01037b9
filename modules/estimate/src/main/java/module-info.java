/**
 * Estimates: how long programs take on GPUs that are not here, on any number of ranks.
 *
 * <p>Does no arithmetic of layers and knows no device library; descriptions and fits are given to it.
 */
module layerwise.estimate {
    requires transitive layerwise.op;

    exports layerwise.estimate;
}
