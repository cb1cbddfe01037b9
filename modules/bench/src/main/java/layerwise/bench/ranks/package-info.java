/** The processes of a run: which this one is, how they meet, and how they end together. */
package layerwise.bench.ranks;
