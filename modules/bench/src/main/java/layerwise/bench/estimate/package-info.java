/** Runs, sweeps and fits on a simulated clock. */
package layerwise.bench.estimate;
