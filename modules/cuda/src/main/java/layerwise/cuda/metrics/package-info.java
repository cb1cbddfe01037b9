/** What a GPU tells of itself while it works: clocks, power, temperature, utilisation and activity. */
package layerwise.cuda.metrics;
