/**
 * The benchmark program: assembles model, executor and trace, runs problems, prints statistics.
 *
 * <p>Holds no kernel and no layer.
 */
module layerwise.bench {
    requires layerwise.cuda;
    requires layerwise.estimate;
    requires layerwise.kernels;
    requires layerwise.model;
    requires layerwise.mpi;
    requires layerwise.reference;
    requires layerwise.trace;
    requires info.picocli;
    requires com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.dataformat.yaml;
}
