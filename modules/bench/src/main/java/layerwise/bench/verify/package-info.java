/** The {@code verify} command: every operator of a layer on a device against the reference executor. */
package layerwise.bench.verify;
