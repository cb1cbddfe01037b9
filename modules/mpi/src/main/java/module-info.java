/**
 * MPI: the ranks of a run find each other through Open MPI, and the reference executor's collectives travel over it.
 *
 * <p>Knows no device, no operator's meaning and no configuration.
 */
@SuppressWarnings("module") // bench is built after this module
module layerwise.mpi {
    requires layerwise.bindings;
    requires transitive layerwise.op;

    exports layerwise.mpi to
            layerwise.bench;
}
