/** The {@code operators} command: every operator of a layer timed alone, with cold caches. */
package layerwise.bench.operators;
