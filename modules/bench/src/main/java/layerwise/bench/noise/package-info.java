/** Layers on made-up numbers, the same on every executor: what operators are checked and timed on one by one. */
package layerwise.bench.noise;
