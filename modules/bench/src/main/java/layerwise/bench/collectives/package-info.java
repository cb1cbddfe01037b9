/** The {@code collectives} command: collectives between the ranks of a job, timed by themselves over sizes. */
package layerwise.bench.collectives;
