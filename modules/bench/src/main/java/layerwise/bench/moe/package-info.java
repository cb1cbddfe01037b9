/** What a mixture-of-experts backend's name stands for. */
package layerwise.bench.moe;
