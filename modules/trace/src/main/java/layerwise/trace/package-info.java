/** Traces in the SQLite schema that Nsight Systems exports: markers, recorder, reader. */
package layerwise.trace;
