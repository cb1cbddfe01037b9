/** Open MPI: {@code mpi.h}. */
package layerwise.bindings.mpi;
