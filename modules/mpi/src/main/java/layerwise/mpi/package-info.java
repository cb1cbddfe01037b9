/** Open MPI behind the interfaces of ranks. */
package layerwise.mpi;
