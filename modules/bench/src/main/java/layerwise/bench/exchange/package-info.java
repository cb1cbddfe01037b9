/** How tokens reach experts of other ranks: the rules of the engine whose names we use, and tables of made-up choices. */
package layerwise.bench.exchange;
